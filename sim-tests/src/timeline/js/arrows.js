// What passes: arrows between lanes, marks in them, and their labels.

Object.assign(chart, {
  drawEvents(view) {
    // Labels that would stand on one another are left out, the pinned one never; each column has its own.
    const free = new Map();
    const seen = shown.events.filter((event) => {
      const [y1, y2] = [scale.y(event.at), scale.y(event.end)];
      return y2 >= -20 && y1 <= view + 20;
    });
    this.labels = [];
    // Where many are on one another, one of a kind on each line of pixels is enough, and each is faint.
    const crowd = seen.length / view;
    this.opacity = Math.max(0.14, Math.min(1, 0.35 / crowd));
    const drawn = new Set();
    for (const event of seen) {
      const key = crowd > 1 && `${Math.round(scale.y(event.at))} ${Math.round(scale.y(event.end) / 3)} ${event.from} ${event.to} ${event.side} ${tone(event)}`;
      if (key && drawn.has(key) && event.number !== focus.pinned) this.crowded(event, free);
      else this.drawEvent(event, free, view);
      drawn.add(key);
    }
    for (const label of this.labels) this.writeLabel(label);
  },

  /** Counts an event that another one stands for. */
  crowded(event, free) {
    const label = free.get(this.column(event));
    if (label && event.matches) label.more += 1;
  },

  /** Events of one column cannot have their labels on one another. */
  column(event) {
    if (event.kind === "pdu") return event.side === "Esme" ? "left" : "right";
    if (run.lanes[event.from]?.kind === "smsc") return "right";
    const lanes = [event.from, event.to].filter((lane) => run.lanes[lane]?.kind === "bus");
    return lanes.length > 0 ? `bus ${lanes[0]}` : "left";
  },

  drawRowOf(event, view) {
    const { ctx, colours, places } = this;
    const pinned = event.number === focus.pinned;
    ctx.fillStyle = pinned ? colours.mark : colours.faint;
    const bar = (y, h) => { if (y > -20 && y < view + 20) ctx.fillRect(TIMES, y - h / 2, places.all + 400, h); };
    bar(scale.y(event.at), ROW);
    if (pinned && event.end !== event.at) { ctx.globalAlpha = 0.5; bar(scale.y(event.end), ARRIVAL); ctx.globalAlpha = 1; }
  },

  drawEvent(event, free, view) {
    const { ctx, colours } = this;
    const strong = event.number === focus.pinned || event.number === focus.over || isPair(event);
    const opacity = event.matches ? (strong ? 1 : this.opacity) : 0.22;
    ctx.globalAlpha = opacity;
    const colour = colours[tone(event) === "keepalive" ? "soft" : tone(event)];
    ctx.strokeStyle = colour;
    ctx.fillStyle = colour;
    ctx.lineWidth = strong ? 2 : 1;
    const draw = event.kind === "pdu" ? this.drawPdu : event.to !== undefined && event.from !== undefined ? this.drawShort : this.drawMark;
    draw.call(this, event, { free, strong, view, colour, opacity });
    ctx.globalAlpha = 1;
    ctx.lineWidth = 1;
  },

  /** From its writer's lane to the network, across it, and on to its reader's: or as far as it came. */
  drawPdu(event, how) {
    const { ctx, places } = this;
    const fromEsme = event.side === "Esme";
    const smsc = places.at[fromEsme ? event.to : event.from];
    const lane = fromEsme ? event.from : event.to;
    const esme = lane === undefined ? places.left : places.at[lane];
    const [y1, y2] = [scale.y(event.at), scale.y(event.end)];
    const [start, stop] = fromEsme ? [esme, smsc] : [smsc, esme];
    const [near, far] = fromEsme ? [places.netLeft, places.netRight] : [places.netRight, places.netLeft];
    const from = fromEsme ? places.left + 4 : places.netRight + 6;
    const room = fromEsme ? places.netLeft - from - 8 : places.right - from - 2;
    const label = this.label(event, from, y1, room, how);
    ctx.strokeStyle = ctx.fillStyle = how.colour;
    const middle = (near + far) / 2;
    const way = fromEsme ? 1 : -1;
    const direct = event.end === event.at || Math.abs(y2 - y1) < 0.5;
    if (!event.written) {
      // Nobody wrote it so: it begins where it was changed.
      ctx.setLineDash([3, 3]);
      this.line(middle, y1, stop, y1);
      ctx.setLineDash([]);
      this.head(stop, y1, way);
    } else {
      ctx.beginPath();
      ctx.arc(start, y1, how.strong ? 3.2 : 2.4, 0, 2 * Math.PI);
      ctx.fill();
      if (!how.strong) ctx.globalAlpha *= 0.72;
      if (label) {
        const [left, right] = fromEsme ? [start, near] : [near, start];
        if (label.from - 4 > left) this.line(left, y1, label.from - 4, y1);
        if (label.until + 4 < right) this.line(label.until + 4, y1, right, y1);
      } else this.line(start, y1, near, y1);
      if (event.lost) {
        const x = near + (far - near) * 0.42;
        ctx.setLineDash([4, 3]);
        this.line(near, y1, x, y1);
        ctx.setLineDash([]);
        ctx.lineWidth = 1.8;
        this.line(x - 4, y1 - 4, x + 4, y1 + 4);
        this.line(x - 4, y1 + 4, x + 4, y1 - 4);
      } else {
        if (direct) this.line(near, y1, stop, y2);
        else {
          this.line(near, y1, far, y2);
          if (!how.strong) ctx.globalAlpha *= 0.6;
          this.line(far, y2, stop, y2);
        }
        ctx.globalAlpha = how.opacity;
        this.head(stop, y2, way);
      }
    }
    this.hits.push({ event: event.number, x1: Math.min(start, near), x2: Math.max(start, near), y1: y1 - 7, y2: y1 + 7 });
    if (!event.lost) this.hits.push({ event: event.number, line: [near, y1, far, y2] }, { event: event.number, line: [far, y2, stop, y2] });
    else this.hits.push({ event: event.number, x1: Math.min(near, middle), x2: Math.max(near, middle), y1: y1 - 7, y2: y1 + 7 });
  },

  /** Between a bus and a process: it takes no time. */
  drawShort(event, how) {
    const { ctx, places } = this;
    const y = scale.y(event.at);
    const [x1, x2] = [places.at[event.from], places.at[event.to]];
    const left = Math.min(x1, x2), right = Math.max(x1, x2);
    const label = this.label(event, left + 12, y, right - left - 24, how);
    ctx.strokeStyle = ctx.fillStyle = how.colour;
    if (label) {
      this.line(left, y, label.from - 4, y);
      if (label.until + 4 < right) this.line(label.until + 4, y, right, y);
    } else this.line(left, y, right, y);
    this.head(x2, y, Math.sign(x2 - x1));
    ctx.beginPath();
    ctx.arc(x1, y, 2.4, 0, 2 * Math.PI);
    ctx.fill();
    this.hits.push({ event: event.number, x1: left - 5, x2: right + 5, y1: y - 7, y2: y + 7 });
  },

  /** In one lane, or in none. */
  drawMark(event, how) {
    const { ctx, places, colours } = this;
    const y = scale.y(event.at);
    if (event.kind === "fault") {
      ctx.globalAlpha *= 0.6;
      ctx.setLineDash([2, 3]);
      this.line(places.faults.from, y, places.faults.until, y);
      ctx.setLineDash([]);
      this.hits.push({ event: event.number, x1: places.faults.from, x2: places.faults.until, y1: y - 4, y2: y + 4 });
      return;
    }
    const x = event.from === undefined ? places.left : places.at[event.from];
    ctx.beginPath();
    if (event.kind === "line" || event.kind === "session") {
      ctx.moveTo(x, y - 4.5); ctx.lineTo(x + 4.5, y); ctx.lineTo(x, y + 4.5); ctx.lineTo(x - 4.5, y); ctx.closePath();
      if (event.name === "connected" || event.name === "bound") ctx.fill();
      else { ctx.save(); ctx.fillStyle = colours.sheet; ctx.fill(); ctx.restore(); ctx.stroke(); }
    } else {
      ctx.rect(x - 3, y - 3, 6, 6);
      ctx.fill();
    }
    const isSmsc = run.lanes[event.from]?.kind === "smsc";
    const from = isSmsc ? places.netRight + 6 : x + 10;
    const room = isSmsc ? places.right - from - 2 : Math.max(places.netLeft - from - 8, 90);
    const label = this.label(event, from, y, room, how, isSmsc);
    this.hits.push({ event: event.number, x1: Math.min(x - 6, label?.from ?? x), x2: Math.max(x + 6, label?.until ?? x), y1: y - 7, y2: y + 7 });
  },

  head(x, y, way) {
    const ctx = this.ctx;
    ctx.beginPath();
    ctx.moveTo(x - way * 1, y);
    ctx.lineTo(x - way * 8, y - 3.5);
    ctx.lineTo(x - way * 8, y + 3.5);
    ctx.closePath();
    ctx.fill();
  },

  /** Writes what an event is; where, or null when there is no room for it. */
  label(event, from, y, room, how, atRight = false) {
    const column = this.column(event);
    const last = how.free.get(column);
    let more = 0;
    if (last && y < last.y + 13) {
      if (!how.strong || last.strong) {
        if (event.matches) last.more += 1;
        return null;
      }
      // It gives way to one that matters more.
      this.labels.splice(this.labels.indexOf(last), 1);
      more = last.more + 1;
    }
    if (y < -14 || y > how.view + 14) return { from, until: from };
    const { colours } = this;
    const looks = {
      name: [event.keepalive ? FONT : BOLD, how.colour], number: [MONO, colours.soft], ok: [SMALL, colours.ok], bad: [BOLD, colours.bad],
      message: [MONO, colours.ink], soft: [SMALL, colours.soft],
    };
    const runs = event.pieces.map(([text, role]) => ({ text, font: looks[role][0], colour: looks[role][1], optional: role === "ok" }));
    // A success that does not fit, and what is behind it, is not worth a stump.
    let used = 0;
    const cut = runs.findIndex((it) => (used += this.measure(it.font, it.text) + 6) - 6 > room && it.optional);
    if (cut > 0) runs.length = cut;
    const wide = runs.reduce((sum, it) => sum + this.measure(it.font, it.text) + 6, -6);
    const x = atRight ? from + Math.max(0, room - wide) : from;
    const label = { event, runs, x, y, end: from + room, until: Math.min(x + wide, from + room), more, strong: how.strong, faint: !event.matches };
    this.labels.push(label);
    how.free.set(column, label);
    return { from: x, until: label.until };
  },

  /** Over all lines; with how many others there was no room for. */
  writeLabel({ event, runs, x, y, end, until, more, faint }) {
    const { ctx, colours } = this;
    const start = x;
    const row = event.number === focus.pinned ? colours.mark : event.number === focus.over ? colours.faint : null;
    ctx.fillStyle = row ?? colours.sheet;
    if (!this.isBroken(y)) ctx.fillRect(start - 3, y - 7, until - start + 6, 14);
    ctx.globalAlpha = faint ? 0.35 : 1;
    const words = `+${more}`;
    const wide = more > 0 ? this.measure(SMALL, words) + 8 : 0;
    for (const it of runs) {
      if (x > end - wide - 10 || (it.optional && x + this.measure(it.font, it.text) > end - wide)) break;
      x += this.text(it.text, x, y, it.font, it.colour, end - wide - x) + 6;
    }
    if (more > 0) {
      const at = x;
      ctx.fillStyle = colours.line;
      ctx.beginPath();
      ctx.roundRect(at - 1, y - 6.5, wide, 13, 6);
      ctx.fill();
      this.text(words, at + 3, y, SMALL, colours.ink, 60);
    }
    ctx.globalAlpha = 1;
  },

  /** Whether something was broken at this height: the row has a colour of its own. */
  isBroken(y) { return run.violations.some((violation) => Math.abs(this.violationY(violation) - y) < 1); },
});
