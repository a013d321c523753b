// What people do with it: filter, move, zoom, pin, jump.

const byId = (id) => document.getElementById(id);

/** After what is shown, or its scale, has changed: keeps the fact in the middle where it is. */
function relay({ keep = true } = {}) {
  const middle = keep ? factAt((chart.height - HEAD) / 2) : null;
  const was = middle === null ? 0 : scale.y(middle);
  const any = scale.lay();
  if (middle !== null) scale.scroll += scale.y(middle) - was;
  byId("nothing").hidden = any;
  bound();
  chart.soon();
}

/** After the filter has changed. */
function refilter() {
  sift();
  for (const id of ["find", "message", "line", "kind"]) byId(id).classList.toggle("active", Boolean(byId(id).value));
  relay();
  list.fill();
  list.follow();
}

/** The pinned fact if it is in view, else the one that is nearest to this height. */
function factAt(y) {
  if (focus.pinned !== null && shownNow(events[focus.pinned])) {
    const at = scale.y(events[focus.pinned].at);
    if (at > 0 && at < chart.height - HEAD) return events[focus.pinned].at;
  }
  const units = (y + scale.scroll) / scale.zoom;
  let [low, high] = [0, scale.heights.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scale.heights[middle] < units) low = middle + 1; else high = middle;
  }
  return scale.heights.length === 0 ? null : Math.min(low, scale.heights.length - 1);
}

const leastZoom = () => Math.min(1, (chart.height - HEAD) / scale.height);
const mostZoom = () => scale.mode === "time" ? 400 : 4;

function bound() {
  scale.zoom = Math.max(leastZoom(), Math.min(mostZoom(), scale.zoom));
  const most = Math.max(0, scale.height * scale.zoom - (chart.height - HEAD));
  scale.scroll = Math.max(0, Math.min(most, scale.scroll));
  chart.scrollX = Math.max(0, Math.min(chart.places.all - chart.width, chart.scrollX));
}

function move(dx, dy) {
  scale.scroll += dy;
  chart.scrollX += dx;
  tip.hide();
  bound();
  chart.soon();
}

function zoom(factor, y = (chart.height - HEAD) / 2) {
  const units = (y + scale.scroll) / scale.zoom;
  scale.zoom *= factor;
  scale.zoom = Math.max(leastZoom(), Math.min(mostZoom(), scale.zoom));
  scale.scroll = units * scale.zoom - y;
  bound();
  chart.soon();
}

function fit() {
  scale.zoom = leastZoom();
  move(0, 0);
}

/** One row a line; to scale, two seconds on the stage. */
function legible() {
  const wanted = scale.mode === "rows" ? 1 : (chart.height - HEAD) / 2000;
  zoom(wanted / scale.zoom);
}

/** Keeps an event in view and its details at hand. */
function pin(number, { from = "", gently = false } = {}) {
  focus.pinned = number;
  if (number === null) focus.violation = null;
  else {
    if (!shownNow(events[number])) clear();
    const y = scale.y(events[number].at), view = chart.height - HEAD;
    if (from !== "chart" && (y < 40 || y > view - 60 || !gently)) scale.scroll += y - (y < 40 || y > view - 60 ? view * 0.4 : y);
  }
  bound();
  details.show();
  list.follow();
  marked();
  chart.soon();
}

function pinFault(number) {
  const event = events.findIndex((it) => it.kind === "fault" && it.at === run.faults[number].from);
  if (event >= 0) pin(event);
}

function jump(number) {
  focus.violation = number;
  const { event, t, at } = run.violations[number];
  if (scale.mode === "rows" ? scale.zoom < 0.8 : false) zoom(1 / scale.zoom);
  if (event !== null) return pin(event);
  focus.pinned = null;
  const units = scale.atTime(t) ?? scale.heights[at] ?? 0;
  scale.scroll = units * scale.zoom - (chart.height - HEAD) * 0.4;
  bound();
  details.show();
  details.box.prepend(make("p", { class: "broken-here" }, make("b", {}, run.violations[number].oracle), ` at ${exactly(t)}: ${run.violations[number].words}`));
  list.follow();
  marked();
  chart.soon();
}

function marked() {
  byId("violations").querySelectorAll("button").forEach((button, number) => {
    const current = focus.violation === number;
    if (current) { button.setAttribute("aria-current", "true"); button.scrollIntoView({ block: "nearest" }); }
    else button.removeAttribute("aria-current");
  });
}

/** Only this connection, or message, or kind. */
function only(what, value) {
  if (![...byId(what).options].some((option) => option.value === value)) return;
  byId(what).value = value;
  filter[what] = value;
  refilter();
  if (focus.pinned !== null) pin(focus.pinned);
}
const follow = (message) => only("message", message);

function clear() {
  for (const id of ["find", "message", "line", "kind"]) byId(id).value = "";
  byId("quiet").checked = false;
  Object.assign(filter, { words: [], message: "", line: "", kind: "", quiet: false });
  refilter();
}

/** The next of what matches, from the pinned one on. */
function step(by) {
  const all = shown.events.filter((event) => event.matches);
  if (all.length === 0) return;
  const here = focus.pinned === null ? factAt(0) : events[focus.pinned].at;
  const place = by > 0 ? all.findIndex((event) => focus.pinned === null ? event.at >= here : event.number > focus.pinned)
    : all.findLastIndex((event) => focus.pinned === null ? event.at <= here : event.number < focus.pinned);
  if (place >= 0) pin(all[place].number, { gently: true });
}

function fillHead() {
  const { seed, profile, tier, digest, simulated, marks, marks_all: marksAll, plan, commit, rustc, build } = run.run;
  byId("seed").textContent = seed;
  document.title = `seed ${seed}${run.violations.length ? " – broken" : ""}`;
  const broken = run.violations.length;
  byId("verdict").textContent = broken === 0 ? "no promise broken" : `${broken} promise${broken === 1 ? "" : "s"} broken`;
  byId("verdict").classList.toggle("bad", broken > 0);
  const pdus = events.filter((event) => event.kind === "pdu");
  const lost = pdus.filter((event) => event.lost).length;
  const count = (number) => number.toLocaleString("en");
  const said = [["profile", profile], ["tier", tier], ["simulated", lasted(simulated)], ["facts", count(times.length)],
    ["PDUs", count(pdus.length) + (lost ? `, ${count(lost)} lost` : "")], ["connections", count(run.connections.length)],
    ["faults", count(run.faults.length)], ["marks", `${marks} of ${marksAll}`], ["digest", digest],
    ["plan", plan], ["commit", commit], ["rustc", rustc], ["build", build]];
  const mono = ["digest", "plan", "commit"];
  byId("counts").append(...said.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { class: mono.includes(name) ? "mono" : "" }, value))));
  byId("counts").querySelectorAll("div")[7].title = run.run.met.join("\n");
}

function fillViolations() {
  const box = byId("violations");
  box.hidden = run.violations.length === 0;
  box.querySelector("ol").append(...run.violations.map((it, number) => make("li", {}, make("button", { type: "button", on: { click: () => jump(number) } },
    make("time", {}, seconds(it.t)), make("b", {}, it.oracle), make("span", {}, it.words)))));
}

function fillSelects() {
  const by = (a, b) => a.localeCompare(b, "en", { numeric: true });
  const option = (value, words) => make("option", { value }, words);
  const messages = [...new Set(events.map((event) => event.message).filter(Boolean))].sort(by);
  byId("message").append(...messages.map((it) => option(it, run.ids[it]?.length ? `${it} = ${run.ids[it].join(", ")}` : it)));
  byId("line").append(...run.connections.map((it) => option(String(it.line), `#${it.line} ${it.lane === null ? "" : run.lanes[it.lane].name}`)));
  const commands = [...new Set(events.filter((event) => event.kind === "pdu").map((event) => event.name))].sort(by);
  const group = (label, options) => make("optgroup", { label }, ...options);
  byId("kind").append(group("Kinds", Object.entries(KINDS).map(([value, [words]]) => option(value, words))),
    group("Commands", commands.map((it) => option(it, it))));
  byId("plan").querySelector("pre").textContent = JSON.stringify(run.plan, null, 2);
  byId("legend").append(...SIGNS.flatMap(([sign, words]) => [make("dt", {}, sign), make("dd", {}, words)]));
}

function listen() {
  const on = (id, event, does) => byId(id).addEventListener(event, does);
  byId("tools").addEventListener("submit", (event) => event.preventDefault());
  on("find", "input", () => { filter.words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean); refilter(); });
  for (const id of ["message", "line", "kind"]) on(id, "input", () => { filter[id] = byId(id).value; refilter(); });
  on("quiet", "input", () => { filter.quiet = byId("quiet").checked; refilter(); });
  on("dim", "input", () => { filter.dim = byId("dim").checked; refilter(); });
  on("skip", "input", () => { scale.skips = byId("skip").checked; relay(); });
  on("idle", "input", () => { scale.idle = Number(byId("idle").value); relay(); });
  document.querySelectorAll("input[name=scale]").forEach((input) => input.addEventListener("input", () => rescale(input.value)));
  on("in", "click", () => zoom(1.4));
  on("out", "click", () => zoom(1 / 1.4));
  on("fit", "click", fit);
  on("legible", "click", legible);
  on("clear", "click", clear);
  on("show-list", "click", () => {
    const hidden = byId("side").toggleAttribute("hidden");
    byId("show-list").setAttribute("aria-pressed", String(!hidden));
    document.querySelector("main").classList.toggle("wide", hidden);
  });
  on("show-plan", "click", () => byId("plan").showModal());
  on("show-keys", "click", () => byId("keys").showModal());
  list.box.addEventListener("scroll", () => list.draw());
  list.box.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) { step(by); event.preventDefault(); event.stopPropagation(); }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { chart.paint(); chart.soon(); });
  new ResizeObserver(() => { chart.resize(); overview.resize(); bound(); list.draw(true); chart.soon(); }).observe(byId("stage"));
  listenToMouse();
  document.addEventListener("keydown", key);
}

/** Of the same moment in the middle, another scale: as near as it was to the eye. */
function rescale(mode) {
  const middle = factAt((chart.height - HEAD) / 2);
  scale.mode = mode;
  scale.lay();
  scale.zoom = mode === "rows" ? 1 : (chart.height - HEAD) / 2000;
  if (middle !== null) scale.scroll = scale.heights[middle] * scale.zoom - (chart.height - HEAD) / 2;
  bound();
  chart.soon();
}

function listenToMouse() {
  const stage = chart.stage;
  let drag = null;
  const place = (event) => { const box = stage.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("button")) return;
    drag = { x: event.clientX, y: event.clientY, moved: false };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (drag) {
      const [dx, dy] = [drag.x - event.clientX, drag.y - event.clientY];
      if (!drag.moved && Math.hypot(dx, dy) < 4) return;
      drag = { x: event.clientX, y: event.clientY, moved: true };
      stage.classList.add("dragging");
      move(dx, dy);
      return;
    }
    const [x, y] = place(event);
    const hit = chart.at(x, y);
    const over = hit?.event ?? null;
    stage.classList.toggle("over", Boolean(hit));
    if (hit) tip.show(hit, x, y); else tip.hide();
    if (over !== focus.over) { focus.over = over; chart.soon(); }
  });
  stage.addEventListener("pointerup", (event) => {
    const was = drag;
    drag = null;
    stage.classList.remove("dragging");
    if (!was || was.moved) return;
    const hit = chart.at(...place(event));
    if (hit?.violation !== undefined) jump(hit.violation);
    else if (hit?.fault !== undefined) pinFault(hit.fault);
    else pin(hit?.event ?? null, { from: "chart" });
  });
  stage.addEventListener("pointerleave", () => { focus.over = null; tip.hide(); chart.soon(); });
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 18 : 1;
    const [x, y] = place(event);
    if (event.ctrlKey || event.metaKey || x < TIMES) zoom(Math.exp(-event.deltaY * unit / 400), y - HEAD);
    else if (event.shiftKey) move((event.deltaY + event.deltaX) * unit, 0);
    else move(event.deltaX * unit, event.deltaY * unit);
  }, { passive: false });
  const show = (event) => {
    const box = overview.canvas.getBoundingClientRect();
    scale.scroll = (event.clientY - box.top) / box.height * scale.height * scale.zoom - (chart.height - HEAD) / 2;
    move(0, 0);
  };
  overview.canvas.addEventListener("pointerdown", (event) => { overview.canvas.setPointerCapture(event.pointerId); show(event); });
  overview.canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) show(event); });
  overview.canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(-event.deltaY / 400)); }, { passive: false });
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.closest("input[type=search], select");
  if (event.key === "Escape") {
    if (filter.isOn()) clear(); else pin(null);
    if (typing) chart.stage.focus();
    return;
  }
  if (typing) return;
  const page = (chart.height - HEAD) * 0.85;
  const far = event.shiftKey ? page : 60;
  const toggle = (id) => { byId(id).checked = !byId(id).checked; byId(id).dispatchEvent(new Event("input")); };
  const arrows = event.target.matches("input[type=radio]") ? {} : {
    ArrowUp: () => move(0, -far), ArrowDown: () => move(0, far), ArrowLeft: () => move(-60, 0), ArrowRight: () => move(60, 0),
  };
  const does = {
    ...arrows,
    PageUp: () => move(0, -page), PageDown: () => move(0, page), Home: () => move(0, -1e12), End: () => move(0, 1e12),
    "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), f: fit, 0: legible,
    n: () => step(1), p: () => step(-1), v: () => run.violations.length && jump(((focus.violation ?? -1) + 1) % run.violations.length),
    r: () => { const other = focus.pinned === null ? undefined : events[focus.pinned].answers ?? answered.get(focus.pinned); if (other !== undefined) pin(other); },
    m: () => focus.pinned !== null && events[focus.pinned].message && follow(events[focus.pinned].message),
    t: () => byId("tools").querySelector(`input[value=${scale.mode === "rows" ? "time" : "rows"}]`).click(),
    i: () => toggle("skip"), e: () => toggle("quiet"), l: () => byId("show-list").click(), "/": () => byId("find").focus(), "?": () => byId("keys").showModal(),
  }[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}

fillHead();
fillViolations();
fillSelects();
chart.paint();
chart.resize();
overview.resize();
sift();
scale.lay();
bound();
list.fill();
details.show();
listen();
if (run.violations.length > 0) jump(0);
byId("nothing").hidden = events.length > 0;
chart.soon();
