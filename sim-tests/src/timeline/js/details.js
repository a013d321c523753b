// What is known of one event: briefly where the pointer is, in full once it is pinned.

/** Pairs of a name and what it is; empty ones are left out. */
function pairs(rows) {
  const list = make("dl", { class: "pairs" });
  for (const [name, value] of rows) {
    if (value === undefined || value === null || value === "") continue;
    list.append(make("dt", {}, name), make("dd", {}, value));
  }
  return list;
}

const SIGNS = [["●──▶", "a PDU, from when it is written to when it is read; dotted and ✕ when it is never read"],
  ["◆ ◇", "a connection or session begins, ends"], ["■", "something in one place: a message, a process, the SMSC"],
  ["0-3, 0<3", "message 3 of owner 0: an application's, a handset's"],
  ["bars", "a life, ✕ where it was killed; in it thin ones for connections, full once bound"],
  ["+3", "as many more that there is no room for: zoom in, or take rows"]];

const link = (words, does) => make("button", { type: "button", class: "plain", on: { click: does } }, words);
const laneName = (lane) => lane === undefined ? "?" : run.lanes[lane].name;

/** How far a PDU came, in words. */
function journey(event) {
  if (event.lost) return "never read";
  if (!event.written) return "read, but never written so";
  return `read after ${lasted(timeOf(event.read) - timeOf(event.at))}`;
}

const tip = {
  box: document.getElementById("tip"),
  hide() { this.box.hidden = true; },

  show(hit, x, y) {
    this.box.replaceChildren(...(hit.fault !== undefined ? this.fault(hit.fault) : hit.violation !== undefined ? this.violation(hit.violation) : this.event(events[hit.event])));
    this.box.hidden = false;
    const { offsetWidth, offsetHeight } = this.box;
    const left = x + 16 + offsetWidth > chart.width ? Math.max(4, x - offsetWidth - 12) : x + 16;
    const top = y + 14 + offsetHeight > chart.height ? Math.max(4, y - offsetHeight - 10) : y + 14;
    this.box.style.left = `${left}px`;
    this.box.style.top = `${top}px`;
  },

  event(event) {
    const broken = (brokenAt.get(event.number) ?? []).map((it) => make("p", { class: "bad" }, `${it.oracle}: ${it.words}`));
    const line = event.line === undefined ? "" : `, connection #${event.line}`;
    const way = event.kind === "pdu" ? `${laneName(event.from)} → ${laneName(event.to)}${line}, ${journey(event)}` : `${event.from === undefined ? "" : laneName(event.from)}${line}`;
    const said = event.text ? make("p", {}, `“${event.text.length > 120 ? `${event.text.slice(0, 120)}…` : event.text}”`) : null;
    return [make("div", {}, list.what(event)), make("p", {}, exactly(timeOf(event.at)) + (way ? ` · ${way}` : "")),
      event.words ? make("p", {}, event.words) : null, said, ...broken].filter(Boolean);
  },

  fault(number) {
    const fault = run.faults[number];
    return [make("div", {}, make("b", {}, fault.name)), make("p", {}, `fault ${number}: at ${fault.at} ms for ${fault.length} ms`)];
  },

  violation(number) {
    const { oracle, words, t } = run.violations[number];
    return [make("div", { class: "bad" }, `broken: ${oracle}`), make("p", {}, `${exactly(t)} · ${words}`)];
  },
};

const details = {
  box: document.getElementById("details"),

  show() {
    if (focus.pinned === null) {
      this.box.replaceChildren(...this.nothing());
      return;
    }
    const event = events[focus.pinned];
    const broken = (brokenAt.get(event.number) ?? []).map((it) =>
      make("p", { class: "broken-here" }, make("b", {}, it.oracle), ` ${it.words}`));
    this.box.replaceChildren(...[
      make("h2", {}, event.name, " ", make("span", {}, event.sequence === undefined ? "" : `${event.sequence}`)),
      ...broken, this.facts(event),
      event.text !== undefined ? make("blockquote", {}, event.text || "(empty)") : null,
      ...this.fields(event), ...this.octets(event),
    ].filter(Boolean));
    this.box.scrollTop = 0;
  },

  /** What helps to begin: signs, faults. */
  nothing() {
    const hint = "Point at anything to see what it is; click to keep it here. Press ? for keys.";
    const faults = run.faults.map((fault, number) => [`${seconds(fault.at * 1000)} s`,
      make("span", {}, link(fault.name, () => pinFault(number)), ` for ${lasted(fault.length * 1000)}`)]);
    return [make("p", { class: "soft" }, hint), make("h3", {}, "What is what"), pairs(SIGNS),
      ...(faults.length > 0 ? [make("h3", {}, "Faults"), pairs(faults)] : [])];
  },

  facts(event) {
    const ids = (run.ids[event.message] ?? []).join(", ");
    const other = (number) => link(`${events[number].name} ${events[number].sequence ?? ""} at ${seconds(timeOf(events[number].at))} s`, () => pin(number));
    const response = answered.get(event.number);
    const message = event.message && make("span", {}, link(event.message, () => follow(event.message)), ids ? ` (at the SMSC: ${ids})` : "");
    const isPdu = event.kind === "pdu";
    return pairs([
      ["status", event.status && make("span", { class: event.bad ? "is-bad" : "is-ok" }, event.status)],
      [isPdu && event.written ? "written" : isPdu ? "read" : "at", exactly(timeOf(event.at))],
      [isPdu && event.written ? "read" : "", isPdu && event.written
        ? event.lost ? make("span", { class: "is-bad" }, "never") : `${exactly(timeOf(event.read))}, ${lasted(timeOf(event.read) - timeOf(event.at))} later` : ""],
      ["where", event.from === undefined && event.to === undefined ? "" : event.to === undefined ? laneName(event.from) : `${laneName(event.from)} → ${laneName(event.to)}`],
      ["connection", event.line === undefined ? "" : link(`#${event.line}`, () => only("line", String(event.line)))],
      ["message", message],
      ["answers", event.answers === undefined ? "" : other(event.answers)],
      ["answered by", response === undefined ? "" : other(response)],
      ["", ""], ["what", event.words],
    ]);
  },

  fields(event) {
    if (!event.detail || typeof event.detail !== "object") return event.detail ? [make("pre", {}, String(event.detail))] : [];
    const shown = (value) => typeof value === "object" && value !== null ? JSON.stringify(value, null, 1) : value === "" ? make("span", { class: "soft" }, "empty") : String(value);
    const rows = Object.entries(event.detail).map(([name, value]) => [name, shown(value)]);
    return rows.length === 0 ? [] : [make("h3", {}, event.kind === "pdu" ? "Fields" : "In full"), pairs(rows)];
  },

  octets(event) {
    if (!event.hex) return [];
    const pre = make("pre", { class: "hex", tabindex: "0", "aria-label": "Octets" });
    for (let at = 0; at < event.hex.length; at += 32) {
      const codes = event.hex.slice(at, at + 32).match(/../g).map((digits) => parseInt(digits, 16));
      const digits = codes.map((code, place) => code.toString(16).padStart(2, "0") + (place === 7 ? " " : "")).join(" ");
      const letters = codes.map((code) => code >= 32 && code < 127 ? String.fromCharCode(code) : "·").join("");
      pre.append(make("span", { class: "at" }, `${(at / 2).toString(16).padStart(4, "0")}  `), `${digits.padEnd(49)} ${letters}\n`);
    }
    return [make("h3", {}, `${event.hex.length / 2} octets`), pre];
  },
};
