// The run as data: events with what can be said of them, and which of them are to be seen.

const run = JSON.parse(document.getElementById("data").textContent);
const events = run.events;
const times = run.times;
/** Microseconds of a fact. */
const timeOf = (fact) => times[Math.min(fact, times.length - 1)] ?? 0;

/** Of each event: which one answers it. */
const answered = new Map();
/** Of each event: what was broken there. */
const brokenAt = new Map();
events.forEach((event, number) => {
  event.number = number;
  event.end = event.read ?? event.at;
  event.lost = event.kind === "pdu" && Boolean(event.written) && event.read === undefined;
  event.keepalive = event.kind === "pdu" && event.name.startsWith("enquire_link");
  if (event.answers !== undefined) answered.set(event.answers, number);
});
run.violations.forEach((violation) => {
  if (violation.event === null) return;
  if (!brokenAt.has(violation.event)) brokenAt.set(violation.event, []);
  brokenAt.get(violation.event).push(violation);
});

/** Seconds, to the millisecond. */
const seconds = (us) => (us / 1e6).toFixed(3);
/** A time to the microsecond, with its unit. */
const exactly = (us) => `${(us / 1e6).toFixed(6).replace(/0{1,3}$/, "")} s`;
/** How long something took, in the unit that suits. */
const lasted = (us) => us < 1000 ? `${us} µs` : us < 1e6 ? `${+(us / 1e3).toPrecision(4)} ms` : `${+(us / 1e6).toPrecision(4)} s`;

/** A status without what all of them begin with; of a success as little as can be. */
const statusOf = (event) => event.status === "ESME_ROK" ? "ok" : event.status?.replace(/^ESME_/, "");

/** The class that gives an event its colour. */
function tone(event) {
  if (event.lost || event.bad) return "bad";
  if (event.kind === "pdu") return event.keepalive ? "keepalive" : event.side === "Esme" ? "esme" : "smsc";
  return { bus: "bus", fault: "fault", life: "fault", rest: "bad", smsc: "smsc", message: "esme", session: "esme", line: "soft" }[event.kind];
}

/** What an event's label says, in pieces: [text, role]. */
function pieces(event) {
  const parts = [[event.name, "name"]];
  if (event.line !== undefined && event.kind === "line") parts.push([`#${event.line}`, "soft"]);
  if (event.sequence !== undefined) parts.push([String(event.sequence), "number"]);
  if (event.status && event.bad) parts.push([statusOf(event), "bad"]);
  if (event.message) parts.push([event.message, "message"]);
  if (event.status && !event.bad) parts.push([statusOf(event), "ok"]);
  if (event.lost) parts.push(["lost", "bad"]);
  if (event.kind === "pdu" ? event.words.startsWith("id ") : event.words) parts.push([event.words, "soft"]);
  return parts;
}
events.forEach((event) => { event.words ??= ""; event.pieces = pieces(event); });

/** All that an event can be found by, in small letters. */
function haystack(event) {
  if (event.haystack === undefined) {
    const ids = (run.ids[event.message] ?? []).join(" ");
    const parts = [event.name, event.sequence, event.status, event.message, ids, event.words, event.text,
      event.line === undefined ? "" : `#${event.line} line ${event.line}`, event.lost ? "lost" : "",
      event.detail ? JSON.stringify(event.detail) : ""];
    event.haystack = parts.filter((part) => part !== undefined).join(" ").toLowerCase();
  }
  return event.haystack;
}

const KINDS = {
  pdu: ["PDUs", (event) => event.kind === "pdu"],
  bad: ["what went wrong", (event) => Boolean(event.bad || event.lost || brokenAt.has(event.number))],
  bus: ["bus", (event) => event.kind === "bus"],
  message: ["messages of ESMEs", (event) => event.kind === "message"],
  line: ["connections and sessions", (event) => event.kind === "line" || event.kind === "session"],
  life: ["processes and faults", (event) => ["life", "fault", "smsc", "rest"].includes(event.kind)],
};

/** What is asked for, and which events are it. */
const filter = {
  words: [], message: "", line: "", kind: "", quiet: false, dim: false,
  isOn() { return this.words.length > 0 || this.message || this.line || this.kind || this.quiet; },
  has(event) {
    if (this.quiet && event.keepalive) return false;
    if (this.message && event.message !== this.message) return false;
    if (this.line && String(event.line) !== this.line) return false;
    if (this.kind && !(KINDS[this.kind]?.[1](event) ?? event.name === this.kind)) return false;
    return this.words.every((word) => haystack(event).includes(word));
  },
};

/** The events that are shown, in order, and which of them are what is asked for. */
const shown = { events: [], matches: 0 };
function sift() {
  let matches = 0;
  for (const event of events) {
    event.matches = filter.has(event);
    if (event.matches) matches += 1;
  }
  shown.matches = matches;
  shown.events = filter.dim ? events : events.filter((event) => event.matches);
}

/** What is pointed at and what is pinned: numbers of events, or null. */
const focus = { over: null, pinned: null, violation: null };
/** Whether an event belongs to the pinned one: its request or its response. */
const isPair = (event) => focus.pinned !== null &&
  (event.answers === focus.pinned || events[focus.pinned].answers === event.number);
