// The same facts as a list, of which only the rows in view exist: what a screen reader reads, and keys walk through.

const LINE = 22;

/** Makes an element; texts are texts. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") Object.entries(value).forEach(([event, does]) => element.addEventListener(event, does));
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const list = {
  box: document.getElementById("list"), space: document.getElementById("space"), title: document.getElementById("list-title"),
  first: -1, last: -1,

  /** Shows what there is to show anew. */
  fill() {
    this.space.style.height = `${shown.events.length * LINE}px`;
    const all = events.length.toLocaleString("en");
    this.title.textContent = filter.isOn() ? `${shown.matches.toLocaleString("en")} of ${all} facts` : `${all} facts`;
    [this.first, this.last] = [-1, -1];
    this.draw();
  },

  draw(anew = false) {
    const first = Math.max(0, Math.floor(this.box.scrollTop / LINE) - 6);
    const last = Math.min(shown.events.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / LINE) + 6);
    if (!anew && first === this.first && last === this.last) return;
    [this.first, this.last] = [first, last];
    this.space.replaceChildren(...shown.events.slice(first, last).map((event, place) => this.row(event, first + place)));
    const pinned = focus.pinned !== null && document.getElementById(`fact-${focus.pinned}`);
    if (pinned) this.box.setAttribute("aria-activedescendant", pinned.id); else this.box.removeAttribute("aria-activedescendant");
  },

  row(event, place) {
    const marks = [tone(event), event.lost && "lost", isPair(event) && "pair", brokenAt.has(event.number) && "broken", !event.matches && "dim"];
    const row = make("div", {
      class: `fact ${marks.filter(Boolean).join(" ")}`, role: "option", id: `fact-${event.number}`,
      "aria-selected": String(event.number === focus.pinned), "aria-posinset": place + 1, "aria-setsize": shown.events.length,
    }, make("time", {}, seconds(timeOf(event.at))), make("span", { class: "where" }, this.where(event)), this.what(event));
    row.style.top = `${place * LINE}px`;
    row.addEventListener("click", () => pin(event.number, { from: "list" }));
    return row;
  },

  where(event) {
    if (event.kind === "pdu") return `${event.side === "Esme" ? "→" : "←"} #${event.line}`;
    if (event.kind === "bus") return "bus";
    return event.from === undefined ? "" : run.lanes[event.from].kind === "smsc" ? "smsc" : run.lanes[event.from].name.replace(/(.)\D+/, "$1");
  },

  what(event) {
    const classes = { number: "soft", ok: "is-ok", bad: "is-bad", soft: "soft", message: "" };
    const parts = event.pieces.flatMap(([text, role]) =>
      [" ", role === "name" ? make("b", {}, text) : make("span", { class: classes[role] }, text)]);
    return make("span", { class: "what" }, ...parts.slice(1));
  },

  /** Brings the pinned one into view. */
  follow() {
    const place = focus.pinned === null ? -1 : shown.events.indexOf(events[focus.pinned]);
    if (place >= 0) {
      const [top, bottom] = [place * LINE, (place + 1) * LINE];
      const { scrollTop, clientHeight } = this.box;
      if (top < scrollTop + LINE || bottom > scrollTop + clientHeight - LINE) this.box.scrollTop = top - clientHeight / 2;
    }
    this.draw(true);
  },
};
