// All of the run at a glance: how much there is where, faults, what was broken, and the part that is in view.

const overview = {
  canvas: document.getElementById("overview"), ctx: document.getElementById("overview").getContext("2d"),
  width: 0, height: 0,

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = this.canvas.getBoundingClientRect();
    [this.width, this.height] = [width, height];
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  },

  y(units) { return units / scale.height * this.height; },

  draw() {
    const { ctx, width, height } = this;
    const colours = chart.colours;
    ctx.fillStyle = colours.raised;
    ctx.fillRect(0, 0, width, height);
    for (const fault of run.faults) {
      if (fault.from === null) continue;
      const [from, until] = [scale.heights[fault.from], fault.until === null ? scale.height : scale.heights[fault.until]];
      ctx.fillStyle = colours.fault;
      ctx.fillRect(2 + (fault.slot ?? 0) * 5, this.y(from), 4, Math.max(2, this.y(until - from)));
    }
    this.drawDensity();
    for (const violation of run.violations) {
      const units = violation.event === null ? scale.atTime(violation.t) ?? scale.heights[violation.at] : scale.heights[violation.at];
      ctx.fillStyle = colours.bad;
      ctx.fillRect(0, this.y(units) - 1, width, 2);
    }
    if (focus.pinned !== null && shownNow(events[focus.pinned])) {
      ctx.fillStyle = colours.ink;
      ctx.fillRect(0, this.y(scale.heights[events[focus.pinned].at]) - 0.5, width, 1);
    }
    const top = this.y(scale.scroll / scale.zoom), tall = this.y((chart.height - HEAD) / scale.zoom);
    ctx.fillStyle = colours.accent;
    ctx.globalAlpha = 0.12;
    ctx.fillRect(0, top, width, Math.max(tall, 3));
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colours.accent;
    ctx.strokeRect(0.5, top + 0.5, width - 1, Math.max(tall, 3));
  },

  /** What ESMEs write to the left, what the SMSC writes to the right. */
  drawDensity() {
    const rows = Math.max(1, Math.ceil(this.height / 2));
    const [left, right, bad] = [new Float64Array(rows), new Float64Array(rows), new Uint8Array(rows)];
    for (const event of shown.events) {
      const row = Math.min(rows - 1, Math.floor(scale.heights[event.at] / scale.height * rows));
      if (event.side === "Smsc" || event.kind === "smsc") right[row] += 1; else left[row] += 1;
      if (event.bad || event.lost) bad[row] = 1;
    }
    const most = Math.max(1, ...left, ...right);
    const half = this.width / 2 - 10;
    for (let row = 0; row < rows; row += 1) {
      const y = row * 2;
      const long = (count) => count === 0 ? 0 : 2 + (half - 2) * Math.sqrt(count / most);
      this.ctx.fillStyle = bad[row] ? chart.colours.bad : chart.colours.esme;
      this.ctx.fillRect(this.width / 2 + 6 - long(left[row]), y, long(left[row]), 1.4);
      this.ctx.fillStyle = bad[row] && left[row] === 0 ? chart.colours.bad : chart.colours.smsc;
      this.ctx.fillRect(this.width / 2 + 7, y, long(right[row]), 1.4);
    }
  },
};
