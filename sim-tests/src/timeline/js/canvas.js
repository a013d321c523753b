// The time line itself: lanes from left to right, time from top to bottom. Draws what is in view, and knows what is where.

const HEAD = 40, TIMES = 64;
const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const BOLD = `600 ${FONT}`;
const MONO = "11.5px ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const SMALL = "11px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

const chart = {
  canvas: document.getElementById("chart"), stage: document.getElementById("stage"),
  ctx: document.getElementById("chart").getContext("2d"),
  width: 0, height: 0, scrollX: 0, colours: {}, places: null, hits: [], widths: new Map(), due: false,

  /** The colours of the style sheet: they change with the scheme. */
  paint() {
    const style = getComputedStyle(document.documentElement);
    const probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
    for (const name of ["page", "sheet", "raised", "ink", "soft", "line", "faint", "accent", "accent-bg", "esme", "smsc", "bus", "ok",
      "fault", "fault-bg", "bad", "bad-bg", "mark"]) {
      // A custom property is text with both schemes in it; a colour of an element is the one that counts.
      probe.style.color = style.getPropertyValue(`--${name}`);
      this.colours[name] = getComputedStyle(probe).color;
    }
    probe.remove();
  },

  resize() {
    const { clientWidth, clientHeight } = this.stage;
    const ratio = window.devicePixelRatio || 1;
    [this.width, this.height] = [clientWidth, clientHeight];
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.place();
  },

  /** Where the lanes are: the labels of PDUs stand between the ESMEs and the network, and between it and the SMSC. */
  place() {
    const lanes = run.lanes;
    const smscs = lanes.filter((lane) => lane.kind === "smsc").length;
    const least = lanes.map((lane) => ({ bus: 148, process: 40, esme: 40, smsc: smscs > 1 ? 66 : 34 })[lane.kind]);
    // Names need room, too.
    lanes.forEach((lane, number) => {
      const wide = this.measure(BOLD, lane.name) + 6;
      if (lane.kind !== "bus" && lane.kind !== "smsc") least[number] = Math.max(least[number], wide);
    });
    const buses = lanes.filter((lane) => lane.kind === "bus").length;
    let faults = run.faults.length > 0 ? 116 : run.violations.length > 0 ? 84 : 12;
    let [label, weave] = [188, 64];
    // What there is too little of is taken from what can be cut short, down to where little would be left of it.
    const lacks = TIMES + faults + least.reduce((all, one) => all + one, 0) + 2 * label + weave + 46 - this.width;
    const tight = Math.min(1, Math.max(0, lacks / (50 * buses + 2 * 26 + (faults > 84 ? 30 : 0) + 20)));
    lanes.forEach((lane, number) => { if (lane.kind === "bus") least[number] -= 50 * tight; });
    [label, weave, faults] = [label - 26 * tight, weave - 20 * tight, faults - (faults > 84 ? 30 * tight : 0)];
    const sum = least.reduce((all, one) => all + one, 0);
    const spare = Math.max(0, this.width - (TIMES + faults + sum + 2 * label + weave + 46));
    const wide = { label: label + Math.min(spare * 0.36, 200), weave: weave + Math.min(spare * 0.14, 120) };
    const rest = Math.max(0, spare - 2 * (wide.label - label) - (wide.weave - weave));
    let x = TIMES + faults;
    const at = [];
    lanes.forEach((lane, number) => {
      if (lane.kind === "smsc") return;
      const room = least[number] + (lane.kind === "bus" ? Math.min(rest * 0.35, 90) : Math.min(rest * 0.1, 30));
      at[number] = x + (lane.kind === "bus" ? 26 : least[number] / 2);
      x += room;
    });
    const left = x, netLeft = left + wide.label, netRight = netLeft + wide.weave, right = netRight + wide.label;
    for (let smsc = 0; smsc < smscs; smsc += 1) at[lanes.length - smscs + smsc] = right + 22 + 66 * smsc;
    const all = right + 54 + 66 * (smscs - 1);
    this.places = { faults: { from: TIMES + 6, until: TIMES + faults }, at, smscs, left, netLeft, netRight, right, all };
    this.scrollX = Math.max(0, Math.min(this.scrollX, all - this.width));
  },

  soon() {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; this.draw(); overview.draw(); });
  },

  measure(font, text) {
    const key = font + text;
    let width = this.widths.get(key);
    if (width === undefined) {
      if (this.widths.size > 20_000) this.widths.clear();
      this.ctx.font = font;
      width = this.ctx.measureText(text).width;
      this.widths.set(key, width);
    }
    return width;
  },

  draw() {
    const { ctx, width, height, colours, places } = this;
    this.hits = [];
    ctx.fillStyle = colours.sheet;
    ctx.fillRect(0, 0, width, height);
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, HEAD, width, height - HEAD);
    ctx.clip();
    ctx.translate(-this.scrollX, HEAD);
    const view = height - HEAD;
    ctx.fillStyle = colours.raised;
    ctx.globalAlpha = 0.75;
    ctx.fillRect(places.netLeft, 0, places.netRight - places.netLeft, view);
    ctx.globalAlpha = 1;
    this.drawFaults(view);
    this.drawBroken(view);
    for (const number of [focus.over, focus.pinned]) {
      if (number !== null && shownNow(events[number])) this.drawRowOf(events[number], view);
    }
    this.drawLanes(view);
    this.drawBreaks(view);
    this.drawEvents(view);
    this.nameFaults(view);
    this.drawViolations(view);
    ctx.restore();
    this.drawTimes(view);
    this.drawHead();
  },

  line(x1, y1, x2, y2) {
    const ctx = this.ctx;
    ctx.beginPath();
    ctx.moveTo(x1, y1);
    ctx.lineTo(x2, y2);
    ctx.stroke();
  },

  /** From and until in pixels, kept to the view; null when it is outside of it. */
  span(from, until, view) {
    const y1 = from === null || from === undefined ? -10 : scale.y(from);
    const y2 = until === null || until === undefined ? Math.max(scale.px(scale.height), y1) : scale.y(until);
    return y2 < -4 || y1 > view + 4 ? null : [Math.max(y1, -10), Math.min(Math.max(y2, y1 + 2), view + 10), y1];
  },

  /** Writes text, cut to the room that there is; how wide it is. */
  text(text, x, y, font, colour, room, halo = null) {
    const ctx = this.ctx;
    let wide = this.measure(font, text);
    if (wide > room) {
      let length = Math.max(1, Math.floor(text.length * room / wide) - 1);
      text = `${text.slice(0, length)}…`;
      wide = Math.min(this.measure(font, text), room);
    }
    if (halo) {
      ctx.fillStyle = halo;
      ctx.fillRect(x - 5, y - 7, wide + 10, 14);
    }
    ctx.font = font;
    ctx.textBaseline = "middle";
    ctx.fillStyle = colour;
    ctx.fillText(text, x, y + 0.5);
    return wide;
  },

  /** What is at this place of the stage. */
  at(x, y) {
    [x, y] = [x + this.scrollX, y - HEAD];
    if (y < 0) return null;
    let [best, least] = [null, 6];
    for (const hit of this.hits) {
      const distance = hit.line ? toLine(x, y, hit.line) : within(x, y, hit);
      if (distance < least) [best, least] = [hit, distance];
    }
    return best;
  },
};

/** Whether an event is in what is shown. */
const shownNow = (event) => event.matches || filter.dim;

function within(x, y, box) {
  if (x < box.x1 || x > box.x2 || y < box.y1 || y > box.y2) return Infinity;
  // The nearer its middle, the better; a bar of a fault only when nothing else is there.
  return box.fault === undefined ? Math.abs(y - (box.y1 + box.y2) / 2) / 2 : 5;
}

function toLine(x, y, [x1, y1, x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const along = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
}
