"""A time line as a person sees it, and what must hold of it. Each check is a function whose name says what it is about."""

from harness import Failed

# The page's own names can be reached from a script that runs in it.
FRAME_MS_MAX = 120


class Page:
    def __init__(self, browser, file, pictures):
        self.browser, self.file, self.pictures = browser, file, pictures

    def open(self, scheme="light"):
        self.browser.prefer(scheme)
        self.browser.open("about:blank")
        self.browser.requested()
        self.browser.open(self.file.as_uri())
        self.browser.see("the list of facts", "return document.querySelectorAll('.fact').length > 0")

    def text(self, selector):
        return self.browser.run("return document.querySelector(arguments[0]).innerText", selector)

    def count(self):
        return self.browser.run("return shown.events.length")

    def pixels(self):
        """A number that changes with what is drawn."""
        self.browser.run("chart.draw(); overview.draw()")
        return self.browser.run("let sum = 0; for (const letter of chart.canvas.toDataURL()) sum = (sum * 31 + letter.charCodeAt(0)) | 0; return sum")

    def picture(self, name):
        if self.pictures:
            self.browser.run("chart.draw(); overview.draw()")
            self.browser.picture(self.pictures / ("%s-%s.png" % (self.file.stem, name)))

    def is_content(self):
        """Nothing was written to the console, and nobody was asked for anything."""
        complaints = self.browser.complaints()
        check(not complaints, "the console says: %s" % complaints)
        asked = [url for url in self.browser.requested() if url not in ("about:blank", self.file.as_uri()) and not url.startswith("data:")]
        check(not asked, "it asked for %s" % asked)

    def point(self, x, y, click=False):
        """The mouse at a place of the stage."""
        left, top = self.browser.run("const box = chart.stage.getBoundingClientRect(); return [box.left, box.top]")
        actions = [{"type": "pointerMove", "duration": 0, "x": int(left + x), "y": int(top + y)}]
        if click:
            actions += [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self.browser.do("/actions", {"actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}]})

    def place_of(self, number):
        """Where an event's label is, on the stage."""
        return self.browser.see("event %d drawn" % number, "chart.draw(); const it = chart.hits.find((hit) => hit.event === arguments[0] && hit.x1 !== undefined);"
                        "return it && [(it.x1 + it.x2) / 2 - chart.scrollX, (it.y1 + it.y2) / 2 + HEAD]", number)


def check(condition, words):
    if not condition:
        raise Failed(words)


def choose(page, selector, value):
    page.browser.choose(selector, value)


def something_is_drawn(page):
    before = page.pixels()
    page.browser.run("move(0, 300)")
    check(page.pixels() != before or page.browser.run("return scale.height < 400"), "moving changes nothing")
    page.browser.run("move(0, -1e9)")
    check(page.pixels() == before, "and back is not what it was")
    page.picture("light")


def dark_is_another_colour(page):
    light = page.pixels()
    page.open("dark")
    check(page.pixels() != light, "it looks the same")
    page.browser.run("pin(events.findIndex((event) => event.kind === 'pdu' && event.answers !== undefined))")
    page.picture("dark")
    page.open("light")


def the_mouse_shows_and_pins(page):
    number = page.browser.run("return shown.events.findIndex((event) => event.kind === 'pdu' && !event.lost)")
    x, y = page.place_of(number)
    page.point(x, y)
    page.browser.see("the tip", "return !document.getElementById('tip').hidden && document.getElementById('tip').innerText.includes(events[arguments[0]].name)", number)
    page.point(x, y, click=True)
    page.browser.see("the pinned event", "return focus.pinned === arguments[0]", number)
    words = page.text("#details")
    check("octets" in words and "written" in words, "no details: %r" % words)
    page.browser.see("its row in the list", "return document.querySelector('.fact[aria-selected=true]')?.id === `fact-${arguments[0]}`", number)
    page.picture("pinned")
    page.browser.press("r")
    page.browser.see("the response", "return focus.pinned !== arguments[0] && events[focus.pinned].answers === arguments[0]", number)
    page.browser.press("Escape")
    page.browser.see("nothing pinned", "return focus.pinned === null")


def the_list_leads_to_the_place(page):
    page.browser.run("list.box.scrollTop = list.box.scrollHeight")
    page.browser.see("the last row", "const row = document.getElementById(`fact-${events.length - 1}`); row?.click(); return Boolean(row)")
    check(page.browser.run("const y = scale.y(events[focus.pinned].at); return y >= 0 && y <= chart.height - HEAD"), "it is out of view")
    page.browser.press("p")
    page.browser.see("the one before it", "return focus.pinned === events.length - 2")
    page.browser.press("Escape")


def keys_and_wheel_move_and_zoom(page):
    page.browser.run("chart.stage.focus()")
    zoom = page.browser.run("return scale.zoom")
    page.browser.press("+")
    check(page.browser.run("return scale.zoom") > zoom, "+ does not zoom")
    page.browser.press("-")
    page.browser.press("End")
    scroll = page.browser.run("return scale.scroll")
    page.browser.press("ArrowUp")
    check(page.browser.run("return scale.scroll") < scroll or scroll == 0, "the arrow does not move")
    page.browser.press("f")
    check(page.browser.run("return scale.height * scale.zoom <= chart.height - HEAD + 1"), "f does not show all")
    page.picture("all")
    page.browser.press("0")
    page.browser.run("chart.stage.dispatchEvent(new WheelEvent('wheel', {deltaY: -240, ctrlKey: true, clientX: 400, clientY: 400, bubbles: true, cancelable: true}))")
    check(page.browser.run("return scale.zoom") > 1, "the wheel does not zoom")
    page.browser.press("0", "Home")


def the_scale_is_rows_or_time(page):
    page.browser.run("document.querySelector('input[value=time]').click()")
    check(page.browser.run("return scale.mode") == "time", "no time scale")
    heights = "const to = scale.heights; return [events.length, to[to.length - 1]]"
    _, short = page.browser.run(heights)
    page.picture("time")
    page.browser.press("i")
    _, long = page.browser.run(heights)
    check(long > short, "idle time is not skipped: %s, %s" % (short, long))
    exact = page.browser.run("const [first, last] = [scale.knots[0], scale.knots.at(-1)]; return Math.abs((last.y - first.y) - (last.time - first.time) / 1000)")
    check(exact < 0.01, "a millisecond is not a unit")
    page.browser.press("i", "t")
    check(page.browser.run("return scale.mode") == "rows", "no rows")


def filters_hide_and_dim(page):
    everything = page.count()
    message = page.browser.run("return events.find((event) => event.message && event.kind === 'pdu').message")
    choose(page, "#message", message)
    check(0 < page.count() < everything, "the message's filter does nothing")
    check(page.browser.run("return shown.events.every((event) => event.message === arguments[0])", message), "others are shown")
    check(page.text("#list-title").endswith("facts") and " of " in page.text("#list-title"), "no count")
    page.browser.click("#dim")
    check(page.count() == everything, "others are hidden, not dimmed")
    page.picture("dimmed")
    page.browser.click("#dim")
    page.browser.press("Escape")
    check(page.count() == everything, "Escape does not show all")
    ident = page.browser.run("return Object.values(run.ids).flat().find((id) => id.length > 0)")
    page.browser.type("#find", ident)
    check(0 < page.count() < everything, "an id of the SMSC's is not found")
    page.browser.type("#find", "no such thing")
    page.browser.see("that nothing matches", "return !document.getElementById('nothing').hidden")
    page.browser.click("#clear")
    check(page.count() == everything, "not all is shown again")
    choose(page, "#line", "0")
    check(page.browser.run("return shown.events.every((event) => event.line === 0)"), "other connections are shown")
    choose(page, "#line", "")
    choose(page, "#kind", "unbind")
    check(page.browser.run("return shown.events.every((event) => event.name === 'unbind')"), "other commands are shown")
    choose(page, "#kind", "")
    page.browser.click("#quiet")
    check(page.browser.run("return !shown.events.some((event) => event.name.startsWith('enquire_link'))"), "enquire_link is shown")
    page.browser.click("#quiet")


def plan_and_keys_open(page):
    page.browser.click("#show-plan")
    check('"latency_ms"' in page.text("#plan pre"), "no plan")
    page.browser.press("Escape")
    page.browser.see("the plan closed", "return !document.getElementById('plan').open")
    page.browser.run("chart.stage.focus()")
    page.browser.press("?")
    page.browser.see("the keys", "return document.getElementById('keys').open")
    page.browser.press("Escape")


def it_fits_a_narrow_window(page):
    page.browser.view(700, 900)
    check(page.browser.run("return document.documentElement.scrollWidth <= 700"), "wider than the window")
    page.picture("narrow")
    page.browser.view(1440, 900)


def faults_and_lives_are_bars(page):
    check(page.browser.run("return run.faults.length > 0 && run.faults.every((fault) => fault.from !== null && fault.until !== null)"), "no faults")
    check(page.browser.run("return run.lives.some((life) => life.end !== undefined)"), "no process ends")
    fault = page.browser.see("a fault drawn", "chart.draw(); const it = chart.hits.find((hit) => hit.fault !== undefined); return it && [it.fault, it.x1 + 6, (it.y1 + it.y2) / 2 + HEAD]"
                     if page.browser.run("move(0, 0); pinFault(0); return true") else "")
    page.point(fault[1], fault[2])
    page.browser.see("the fault's tip", "return document.getElementById('tip').innerText.includes(run.faults[arguments[0]].name)", fault[0])
    page.picture("fault")


def a_violation_is_on_top_and_leads_to_its_place(page):
    check("broken" in page.text("#verdict"), "the verdict says %r" % page.text("#verdict"))
    page.browser.run("move(0, -1e12); pin(null)")
    page.browser.click("#violations button")
    page.browser.see("its place in view", "const y = chart.violationY(run.violations[0]); return y > 0 && y < chart.height - HEAD")
    check("liveness" in page.text("#details"), "the details do not name the oracle: %r" % page.text("#details"))
    page.browser.see("its mark", "chart.draw(); return chart.hits.some((hit) => hit.violation === 0)")
    page.picture("violation")


def there_are_twenty_thousand_facts(page):
    check(page.browser.run("return times.length") > 20_000, "this run is not huge")


def many_are_drawn_at_once(page):
    check(page.browser.run("return times.length") > 1000, "this run is not large")
    took = page.browser.run("const start = performance.now(); for (let turn = 0; turn < 10; turn += 1) { move(0, 200); chart.draw(); } return (performance.now() - start) / 10")
    check(took < FRAME_MS_MAX, "%.0f ms a frame" % took)
    page.picture("light")


CALM = [something_is_drawn, dark_is_another_colour, the_mouse_shows_and_pins, the_list_leads_to_the_place, keys_and_wheel_move_and_zoom,
        the_scale_is_rows_or_time, filters_hide_and_dim, plan_and_keys_open, it_fits_a_narrow_window]
FAULTY = [something_is_drawn, faults_and_lives_are_bars, filters_hide_and_dim, the_scale_is_rows_or_time, dark_is_another_colour]
BROKEN = [a_violation_is_on_top_and_leads_to_its_place]
HUGE = [there_are_twenty_thousand_facts, many_are_drawn_at_once, the_list_leads_to_the_place, keys_and_wheel_move_and_zoom,
        filters_hide_and_dim]
LARGE = [many_are_drawn_at_once, keys_and_wheel_move_and_zoom]
