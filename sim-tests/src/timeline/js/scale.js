// Where a fact is on the page: a scale from facts to heights, in units that zooming stretches.

const ROW = 17, ARRIVAL = 9, BREAK = 24;

const scale = {
  mode: "rows", skips: true, idle: 200_000,
  /** Height of each fact, in units; pauses that are cut short; and how high it all is. */
  heights: new Float64Array(0), breaks: [], height: 1,
  /** Times and heights of what is seen, for what is between them. */
  knots: [],
  /** Pixels of a unit, and pixels that are above the view. */
  zoom: 1, scroll: 0,

  /** Lays out what is shown anew. */
  lay() {
    const weights = new Float64Array(times.length);
    for (const event of shown.events) {
      weights[event.at] = ROW;
      if (event.read !== undefined) weights[event.read] = event.written ? ARRIVAL : ROW;
    }
    const inRows = this.mode === "rows";
    this.heights = new Float64Array(times.length);
    this.breaks = [];
    this.knots = [];
    let y = inRows ? 6 : this.idle / 4000, last = 0;
    let [lastFact, any] = [-1, false];
    for (let fact = 0; fact < times.length; fact += 1) {
      if (weights[fact] === 0) continue;
      const pause = times[fact] - last;
      const gap = this.gap(pause);
      if (this.isCut(pause)) this.breaks.push({ from: y, until: y + gap, pause });
      y += gap;
      if (inRows) y += weights[fact] / 2;
      this.heights[fact] = y;
      this.knots.push({ time: times[fact], y, cut: this.isCut(pause) });
      if (inRows) y += weights[fact] / 2;
      [last, lastFact, any] = [times[fact], fact, true];
    }
    this.height = Math.max(y + (inRows ? 8 : Math.max(y / 60, 5)), 1);
    this.between(weights);
    return any;
  },

  isCut(pause) { return this.skips && pause > this.idle; },

  gap(pause) {
    if (this.mode === "time") return this.isCut(pause) ? this.idle / 2000 : pause / 1000;
    if (pause === 0) return 0;
    if (this.skips) return pause > this.idle ? BREAK : 2 + 9 * pause / this.idle;
    return 2 + pause / 15_000;
  },

  /** Facts that are not shown are where their time is. */
  between(weights) {
    let next = 0;
    for (let fact = 0; fact < times.length; fact += 1) {
      if (weights[fact] > 0) { next += 1; continue; }
      const [before, after] = [this.knots[next - 1], this.knots[next]];
      if (!before || !after) { this.heights[fact] = before?.y ?? after?.y ?? 0; continue; }
      const span = after.time - before.time;
      const part = span > 0 ? (times[fact] - before.time) / span : 0.5;
      this.heights[fact] = before.y + (after.y - before.y) * part;
    }
  },

  /** Units from a time; null where time is cut short. */
  atTime(time) {
    const knots = this.knots;
    let [low, high] = [0, knots.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (knots[middle].time < time) low = middle + 1; else high = middle;
    }
    const [before, after] = [knots[low - 1] ?? { time: 0, y: 0 }, knots[low]];
    if (!after) return before.y + (this.mode === "time" ? (time - before.time) / 1000 : 0);
    if (after.cut && time > before.time && time < after.time) return null;
    const span = after.time - before.time;
    return span > 0 ? before.y + (after.y - before.y) * (time - before.time) / span : after.y;
  },

  /** Pixels below the top of the view. */
  y(fact) { return (this.heights[Math.min(fact, this.heights.length - 1)] ?? 0) * this.zoom - this.scroll; },
  px(units) { return units * this.zoom - this.scroll; },
};
