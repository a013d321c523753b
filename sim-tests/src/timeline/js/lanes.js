// What the time line is drawn on: lanes and who lives in them, faults, pauses, what was broken, times and names.

Object.assign(chart, {
  drawFaults(view) {
    const { ctx, colours, places } = this;
    const slots = [];
    run.faults.forEach((fault, number) => {
      if (fault.from === null) return;
      const until = fault.until ?? Infinity;
      let slot = slots.findIndex((busy) => busy <= fault.from);
      if (slot < 0) slot = slots.length;
      slots[slot] = until;
      fault.slot = slot;
      const span = this.span(fault.from, fault.until, view);
      if (!span) return;
      const [y1, y2, start] = span;
      ctx.fillStyle = colours.fault;
      // Where it acts: the network's whole lane, or the lane of what it hits.
      ctx.globalAlpha = 0.13;
      if (fault.lane === null) ctx.fillRect(places.netLeft, y1, places.netRight - places.netLeft, y2 - y1);
      else ctx.fillRect(places.at[fault.lane] - 13, y1, 26, y2 - y1);
      ctx.globalAlpha = 1;
      const x = places.faults.from + slot * 9;
      ctx.beginPath();
      ctx.roundRect(x, y1, 6, y2 - y1, 3);
      ctx.fill();
      const y = Math.min(Math.max(y1 + 9, 9), Math.max(y2 - 6, y1 + 9));
      fault.labelY = y;
      this.hits.push({ fault: number, x1: x - 3, x2: places.faults.until, y1: Math.max(y1 - 2, y - 9), y2: Math.max(y2 + 2, y + 18), start });
    });
    this.deep = Math.max(1, slots.length);
  },

  /** Beside their bars, in view for as long as these are. */
  nameFaults(view) {
    const { colours, places } = this;
    let last = -Infinity;
    const seen = run.faults.filter((fault) => fault.from !== null && this.span(fault.from, fault.until, view));
    for (const fault of seen.sort((a, b) => a.labelY - b.labelY)) {
      const y = Math.max(fault.labelY, last + 27);
      last = y;
      const x = places.faults.from + this.deep * 9 + 2;
      this.text(fault.kind, x, y, BOLD, colours.fault, places.faults.until - x - 2);
      const long = lasted(fault.length * 1000);
      const where = fault.lane === null ? long : `${run.lanes[fault.lane].name}, ${long}`;
      this.text(where, x, y + 13, SMALL, colours.soft, places.faults.until - x - 2);
    }
  },

  drawLanes(view) {
    const { ctx, colours, places } = this;
    ctx.strokeStyle = colours.line;
    ctx.lineWidth = 1;
    for (const x of places.at) this.line(Math.round(x) + 0.5, 0, Math.round(x) + 0.5, view);
    ctx.setLineDash([2, 4]);
    for (const x of [places.netLeft, places.netRight]) this.line(Math.round(x) + 0.5, 0, Math.round(x) + 0.5, view);
    ctx.setLineDash([]);
    for (const life of run.lives) {
      const span = this.span(life.from, life.until, view);
      if (!span) continue;
      const x = places.at[life.lane];
      ctx.fillStyle = colours.faint;
      ctx.strokeStyle = colours.line;
      ctx.beginPath();
      ctx.roundRect(x - 7.5, span[0] + 0.5, 15, span[1] - span[0], 4);
      ctx.fill();
      ctx.stroke();
      if (life.end && life.until !== null) this.drawEnd(x, scale.y(life.until), life.end);
    }
    this.drawConnections(view);
  },

  drawEnd(x, y, how) {
    const { ctx, colours } = this;
    ctx.strokeStyle = how === "stopped" ? colours.soft : colours.bad;
    ctx.lineWidth = 2;
    if (how === "stopped") this.line(x - 6, y, x + 6, y);
    else {
      this.line(x - 5, y - 5, x + 5, y + 5);
      this.line(x - 5, y + 5, x + 5, y - 5);
    }
    ctx.lineWidth = 1;
  },

  /** A thin bar in both ends' lanes for as long as a connection stands; full once it is bound. */
  drawConnections(view) {
    const { ctx, colours, places } = this;
    const busy = new Map();
    const slotOf = (lane, from, until) => {
      const slots = busy.get(lane) ?? [];
      busy.set(lane, slots);
      let slot = slots.findIndex((end) => end <= from);
      if (slot < 0) slot = slots.length;
      slots[slot] = until ?? Infinity;
      return slot;
    };
    const bar = (lane, from, until, solid, slot) => {
      const span = this.span(from, until, view);
      if (!span) return;
      ctx.globalAlpha = solid ? 0.85 : 0.3;
      ctx.fillRect(places.at[lane] - 5 + (slot % 4) * 3, span[0], 2, span[1] - span[0]);
      ctx.globalAlpha = 1;
    };
    for (const it of run.connections) {
      const dimmed = filter.line && String(it.line) !== filter.line;
      ctx.fillStyle = dimmed ? colours.line : colours.esme;
      if (it.lane !== null && it.opened !== null) {
        const slot = slotOf(it.lane, it.opened, it.closed);
        bar(it.lane, it.opened, it.bound ?? it.closed, false, slot);
        if (it.bound !== null) bar(it.lane, it.bound, it.closed, true, slot);
      }
      ctx.fillStyle = dimmed ? colours.line : colours.smsc;
      if (it.smsc_opened !== null) bar(it.smsc, it.smsc_opened, it.smsc_closed, true, slotOf(it.smsc, it.smsc_opened, it.smsc_closed));
    }
  },

  drawBreaks(view) {
    const { ctx, colours, places } = this;
    for (const pause of scale.breaks) {
      const [y1, y2] = [scale.px(pause.from), scale.px(pause.until)];
      if (y2 < 0 || y1 > view || y2 - y1 < 5) continue;
      const y = Math.round((y1 + y2) / 2) + 0.5;
      ctx.strokeStyle = colours.line;
      ctx.setLineDash([1, 3]);
      this.line(TIMES, y, places.all, y);
      ctx.setLineDash([]);
      if (y2 - y1 < 11) continue;
      const words = `${lasted(pause.pause)} idle`;
      const middle = (places.netLeft + places.netRight) / 2;
      this.text(words, middle - this.measure(SMALL, words) / 2, y, SMALL, colours.soft, 200, colours.sheet);
    }
  },

  violationY(violation) {
    if (violation.event !== null) return scale.y(violation.at);
    const units = scale.atTime(violation.t);
    return units === null ? scale.y(violation.at) : scale.px(units);
  },

  /** The rows of what was broken, under everything else. */
  drawBroken(view) {
    const { ctx, colours, places } = this;
    ctx.fillStyle = colours["bad-bg"];
    const rows = new Set(run.violations.map((violation) => Math.round(this.violationY(violation))));
    for (const y of rows) {
      if (y > -20 && y < view + 20) ctx.fillRect(TIMES, y - ROW / 2, places.all + 400, ROW);
    }
  },

  /** Which oracles saw it, over everything else. */
  drawViolations(view) {
    const { ctx, colours, places } = this;
    const rows = new Map();
    run.violations.forEach((violation, number) => {
      const y = Math.round(this.violationY(violation));
      if (y < -20 || y > view + 20) return;
      if (!rows.has(y)) rows.set(y, []);
      rows.get(y).push(number);
    });
    let last = -Infinity;
    for (const [y, numbers] of [...rows].sort((a, b) => a[0] - b[0])) {
      const current = numbers.includes(focus.violation);
      ctx.strokeStyle = colours.bad;
      ctx.lineWidth = current ? 2 : 1;
      const edge = y - Math.floor(ROW / 2) - 0.5;
      this.line(TIMES, edge, places.all + 400, edge);
      if (current) this.line(TIMES, edge + ROW, places.all + 400, edge + ROW);
      ctx.lineWidth = 1;
      if (y < last + 15) continue;
      last = y;
      const { oracle } = run.violations[current ? focus.violation : numbers[0]];
      const words = numbers.length > 1 ? `${oracle} ×${numbers.length}` : oracle;
      const width = this.measure(BOLD, words) + 12;
      const right = this.scrollX + TIMES + 6 + width;
      ctx.fillStyle = colours.bad;
      ctx.beginPath();
      ctx.roundRect(right - width, y - 8, width, 16, 4);
      ctx.fill();
      this.text(words, right - width + 6, y, BOLD, colours.sheet, width);
      this.hits.push({ violation: current ? focus.violation : numbers[0], x1: right - width, x2: right, y1: y - 8, y2: y + 8 });
    }
  },

  /** Times of what is seen, or marks of a scale. */
  drawTimes(view) {
    const { ctx, colours } = this;
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, HEAD, TIMES, view);
    ctx.clip();
    ctx.translate(0, HEAD);
    ctx.fillStyle = colours.raised;
    ctx.fillRect(0, 0, TIMES, view);
    ctx.strokeStyle = colours.line;
    this.line(TIMES - 0.5, 0, TIMES - 0.5, view);
    const write = (us, y, colour) => {
      const words = seconds(us);
      this.text(words, TIMES - 8 - this.measure(MONO, words), y, MONO, colour, TIMES);
    };
    if (scale.mode === "time") this.drawTicks(view, write);
    else {
      let [last, time] = [-Infinity, -1];
      for (const event of shown.events) {
        const y = scale.y(event.at);
        if (y < -10) { time = times[event.at]; continue; }
        if (y > view + 10) break;
        if (y < last + 13) continue;
        // The same moment is said once, and again at the top.
        if (times[event.at] !== time || last === -Infinity) { write(times[event.at], y, colours.soft); last = y; }
        time = times[event.at];
      }
    }
    if (focus.pinned !== null && shownNow(events[focus.pinned])) {
      const at = events[focus.pinned].at, y = scale.y(at);
      ctx.fillStyle = colours.mark;
      ctx.fillRect(0, y - ROW / 2, TIMES, ROW);
      write(times[at], y, colours.ink);
    }
    ctx.restore();
  },

  drawTicks(view, write) {
    const { ctx, colours } = this;
    const target = 64 / scale.zoom * 1000;
    let step = 10 ** Math.floor(Math.log10(target));
    step *= [1, 2, 5, 10].find((factor) => step * factor >= target) ?? 10;
    step = Math.max(step, 1);
    const first = scale.knots.find((knot) => scale.px(knot.y) > -200);
    const start = Math.max(0, Math.floor(((first?.time ?? 0) - 4 * target) / step) * step);
    // Where time goes on after a pause, then whatever has room between.
    const marks = scale.knots.filter((knot) => knot.cut).map((knot) => ({ y: scale.px(knot.y), time: knot.time, counts: true }));
    for (let [time, count] = [start, 0]; count < 4000; time += step, count += 1) {
      const units = scale.atTime(time);
      if (units === null) {
        const knot = scale.knots.find((it) => it.time > time);
        if (!knot) break;
        time = Math.max(time, Math.floor(knot.time / step) * step);
        continue;
      }
      if (scale.px(units) > view) break;
      marks.push({ y: scale.px(units), time, counts: false });
    }
    const free = [];
    for (const mark of marks.sort((a, b) => b.counts - a.counts || a.y - b.y)) {
      if (mark.y < -10 || mark.y > view + 10 || free.some((y) => Math.abs(y - mark.y) < 14)) continue;
      free.push(mark.y);
      write(mark.time, mark.y, colours.soft);
      ctx.strokeStyle = colours.line;
      this.line(TIMES - 5, mark.y, TIMES, mark.y);
    }
  },

  drawHead() {
    const { ctx, colours, places, width } = this;
    ctx.fillStyle = colours.raised;
    ctx.fillRect(0, 0, width, HEAD);
    ctx.strokeStyle = colours.line;
    this.line(0, HEAD - 0.5, width, HEAD - 0.5);
    this.text("s", TIMES - 16, 26, SMALL, colours.soft, 20);
    ctx.save();
    ctx.beginPath();
    ctx.rect(TIMES, 0, width, HEAD - 1);
    ctx.clip();
    ctx.translate(-this.scrollX, 0);
    if (run.faults.length > 0) this.text("Faults", places.faults.from, 13, BOLD, colours.fault, 80);
    run.lanes.forEach((lane, number) => {
      const centred = (text, y, font, colour, room) => {
        const wide = Math.min(this.measure(font, text), room);
        this.text(text, places.at[number] - wide / 2, y, font, colour, room);
      };
      const colour = { bus: "bus", process: "esme", esme: "esme", smsc: "smsc" }[lane.kind];
      const next = run.lanes[number + 1]?.kind === "smsc" ? places.left + 20 : places.at[number + 1];
      const room = lane.kind === "smsc" ? (places.smscs > 1 ? 62 : 86) : Math.max(40, Math.min(150, (next ?? 999) - places.at[number] + 20));
      if (lane.kind === "bus") {
        this.text(lane.name, places.at[number] - 16, 13, BOLD, colours[colour], 120);
        this.text(lane.note, places.at[number] - 16, 28, SMALL, colours.soft, 120);
        return;
      }
      centred(lane.name, 13, BOLD, colours[colour], room);
      centred(lane.note, 28, SMALL, colours.soft, room);
    });
    const middle = (places.netLeft + places.netRight) / 2;
    this.text("Network", middle - this.measure(BOLD, "Network") / 2, 13, BOLD, colours.ink, 90);
    const count = `${run.connections.length} connection${run.connections.length === 1 ? "" : "s"}`;
    this.text(count, middle - this.measure(SMALL, count) / 2, 28, SMALL, colours.soft, 120);
    ctx.restore();
  },
});
