"""The console as a person sees it, and what must hold of it. Each check is a function whose name says what it is about."""

import urllib.parse

from esme import DELIVER_SM, ENQUIRE_LINK, UNBIND
from harness import Failed

HOSTILE = "<img src=x onerror=alert(1)>"
RTHROTTLED = 0x58
CONTROLS = ("button", "textbox", "searchbox", "combobox", "spinbutton", "checkbox", "tab", "listbox", "link")
TABS = ["sessions", "messages", "timeline", "send", "rules", "stats"]
THROTTLED_RULE = "rules:\n  - name: this number is throttled\n    when: { to: \"99$\" }\n    then: { status: ESME_RTHROTTLED }\n"
BAD_RULE = "rules:\n  - name: no such status\n    when: { to: \"99$\" }\n    then: { status: ESME_NOPE }\n"


class Page:
    """The console as a person sees it, with words for what is not there."""

    def __init__(self, browser, url, pictures):
        self.browser, self.url, self.pictures = browser, url, pictures

    def see_text(self, what, selector, text):
        """Waits until one of the elements shows this text."""
        return self.browser.see(what, "return [...document.querySelectorAll(arguments[0])].some(it => it.checkVisibility() && "
                              "it.innerText.includes(arguments[1]))", selector, text)

    def press_button(self, within, words):
        """Clicks the button of these words."""
        script = ("const it = [...document.querySelectorAll(arguments[0] + ' button')].find(it => it.checkVisibility() && it.innerText === arguments[1]);"
                  "it?.click(); return Boolean(it)")
        self.browser.see("the button %r" % words, script, within, words)

    def show(self, tab):
        self.browser.click("#tab-" + tab)
        self.browser.see("the tab " + tab, "return !document.getElementById(arguments[0]).hidden", tab)

    def reload(self, tab):
        self.browser.open("about:blank")
        self.browser.open(self.url + "#" + tab)
        self.browser.see("the live stream", "return document.getElementById('live').dataset.state === 'live'")

    def picture(self, name):
        if self.pictures:
            self.browser.picture(self.pictures / (name + ".png"))

    def pictures_of_all(self, suffix):
        """Of every tab, and of the time line also with a PDU opened."""
        for tab in TABS:
            self.show(tab)
            self.picture("%s-%s" % (tab, suffix))
            if tab == "timeline" and self.browser.run("const row = document.querySelectorAll('.pdu')[2]; row?.click(); return Boolean(row)"):
                self.browser.see("the opened PDU", "return !document.getElementById('pdu-dock').hidden")
                self.picture("pdu-" + suffix)
                self.browser.press("Escape")


def check(condition, words):
    if not condition:
        raise Failed(words)


def a_session_appears(page, esme):
    page.show("sessions")
    page.see_text("the session's account", "#session-table td", "smppclient1")
    page.see_text("how it is bound", "#session-table td", "transceiver")


def a_message_appears_with_its_state(page, esme):
    check(esme.submit("hello console") == 0, "the submit_sm is refused")
    page.show("messages")
    page.browser.see("the message with its state", "return [...document.querySelectorAll('#message-rows tr')].some(row => "
             "row.innerText.includes('hello console') && row.innerText.includes('DELIVERED'))")


def a_message_opens_and_a_receipt_goes_out(page, esme):
    page.browser.see("the message's row", "const row = [...document.querySelectorAll('#message-rows tr')].find(it => it.innerText.includes('hello console'));"
             "row?.querySelector('button').focus(); return Boolean(row)")
    page.browser.press("Enter")
    page.see_text("its history", "#message-dock dd", "DELIVERED")
    page.picture("message-light")
    page.press_button("#message-dock", "Send receipt now")
    esme.wait_for(DELIVER_SM, b"stat:DELIVRD")
    esme.wait_for(DELIVER_SM, b"stat:DELIVRD")
    page.browser.press("Escape")
    page.browser.see("that Escape closes it", "return document.getElementById('message-dock').hidden")


def hostile_text_is_shown_as_text(page, esme):
    check(esme.submit(HOSTILE) == 0, "the submit_sm is refused")
    for tab, selector in (("messages", "#message-rows td"), ("timeline", "#pdus .gist")):
        page.show(tab)
        page.see_text("the hostile text in " + tab, selector, HOSTILE)
    page.browser.see("the hostile row", "const row = [...document.querySelectorAll('.pdu')].find(it => it.innerText.includes('<img')); row?.click(); return Boolean(row)")
    page.see_text("the hostile text among the fields", "#pdu-dock td", HOSTILE)
    check(page.browser.run("return document.images.length") == 0, "text of a message has become markup")
    page.browser.press("Escape")


def the_time_line_shows_fields_and_octets(page, esme):
    page.show("timeline")
    page.see_text("the PDU", ".pdu.from", "hello console")
    page.browser.run("document.getElementById('pdus').focus()")
    up_to = "const it = document.querySelector('.pdu.active'); return Boolean(it?.innerText.includes('hello console') && it.classList.contains('from'))"
    for _ in range(50):
        page.browser.press("ArrowUp")
        if page.browser.run(up_to):
            break
    page.browser.see("the PDU that the arrow keys go to", up_to)
    page.browser.see("that its response is marked", "return document.querySelectorAll('.pdu.pair').length === 2")
    page.browser.press("Enter")
    page.see_text("the decoded address", "#pdu-dock td", "27821230001")
    page.see_text("the octets", "#pdu-dock .hex", "68 65 6c 6c")
    page.see_text("the octets as ASCII", "#pdu-dock .hex", "hello")
    go = "const it = [...document.querySelectorAll('#pdu-dock button')].find(it => it.innerText.startsWith(arguments[0])); it?.click(); return Boolean(it)"
    page.browser.see("the way to the response", go, "Response, ")
    page.see_text("the response", "#pdu-dock h2", "submit_sm_resp")
    page.browser.see("the way back to the request", go, "Request, ")
    page.browser.press("Escape")


def a_mobile_originated_message_reaches_the_client(page, esme):
    page.show("send")
    page.browser.type("#mo [name=text]", "from the form")
    page.see_text("the length", "#mo-length", "13 characters")
    page.press_button("#mo", "Send")
    esme.wait_for(DELIVER_SM, b"from the form")
    page.see_text("what became of it", "#mo-log .badge", "accepted")


def a_field_that_cannot_be_is_told(page, esme):
    page.browser.type("#mo [name=from]", "1" * 30)
    page.press_button("#mo", "Send")
    page.see_text("the words", "#mo .problem", "from")
    page.browser.see("the field", "return document.querySelector('#mo [name=from]').getAttribute('aria-invalid') === 'true'")
    page.browser.type("#mo [name=from]", "27821230001")


def a_rule_changes_the_next_status(page, esme):
    page.show("rules")
    page.browser.type("#yaml", THROTTLED_RULE)
    page.press_button("#rules", "Apply")
    page.see_text("the active rule", "#rule-list li", "this number is throttled")
    check(esme.submit("throttle me", to="2782123099") == RTHROTTLED, "the rule is not followed")
    page.see_text("how often it was followed", "#rule-list li", "followed once")
    page.show("timeline")
    page.see_text("the refusal in the time line", ".pdu.wrong", "ESME_RTHROTTLED")


def a_bad_rule_is_told_with_its_place(page, esme=None):
    page.show("rules")
    page.browser.type("#yaml", BAD_RULE)
    page.press_button("#rules", "Apply")
    page.see_text("the words", "#rules-problem", "ESME_NOPE")
    page.see_text("the place", "#rules-problem", "line 4")
    page.browser.see("the line marked", "const mark = document.getElementById('wrong-line'); return !mark.hidden && mark.style.top === '68px'")
    page.picture("rules-error-light")


def faults_reach_the_client(page, esme):
    page.show("sessions")
    page.press_button("#session-table", "Faults")
    page.press_button("#session-table", "enquire_link")
    esme.wait_for(ENQUIRE_LINK)
    page.browser.type("#session-table input.grow", "00000010 00000015 00000000 0000002a")
    page.press_button("#session-table", "Send raw")
    check(esme.wait_for(ENQUIRE_LINK).sequence == 42, "other octets came than those that were typed")
    page.browser.type("#session-table input.grow", "not hex")
    page.press_button("#session-table", "Send raw")
    page.see_text("why it cannot be sent", ".notice.bad", "not hex")


def unbind_reaches_the_client(page, esme):
    page.show("sessions")
    page.press_button("#session-table", "Unbind")
    esme.wait_for(UNBIND)
    page.see_text("that nobody is left", "#session-empty", "No session yet")


def tabs_follow_the_arrow_keys(page):
    page.show("sessions")
    page.browser.run("document.getElementById('tab-sessions').focus()")
    for tab in [*TABS[1:], TABS[0]]:
        page.browser.press("ArrowRight")
        page.browser.see("that the arrow goes to " + tab, "const it = document.activeElement; return it.id === 'tab-' + arguments[0] && "
                 "it.getAttribute('aria-selected') === 'true' && !document.getElementById(arguments[0]).hidden", tab)
    page.browser.press("End")
    page.browser.see("that End goes to the last", "return document.activeElement.id === 'tab-stats'")
    page.browser.press("?")
    page.browser.see("the help", "return document.getElementById('help').open")
    page.browser.press("Escape")
    page.browser.see("that Escape closes the help", "return !document.getElementById('help').open")


def a_phone_needs_no_sideways_scroll(page):
    page.browser.view(360, 740)
    page.reload("sessions")
    for tab in TABS:
        page.show(tab)
        width = page.browser.run("return document.documentElement.scrollWidth")
        check(width <= 360, "%s is %d pixels wide on a screen of 360" % (tab, width))
        out = page.browser.run("return [...document.querySelectorAll('#' + arguments[0] + ' button, #' + arguments[0] + ' input')].filter(it => "
                               "it.checkVisibility() && !it.closest('.boxed') && it.getBoundingClientRect().right > 361).length", tab)
        check(out == 0, "%d controls of %s are beyond the edge of a screen of 360 pixels" % (out, tab))
    page.pictures_of_all("phone")
    page.browser.view(1440, 900)


def dark_and_light_differ(page):
    colors = {}
    for scheme in ("dark", "light"):
        page.browser.prefer(scheme)
        page.reload("sessions")
        colors[scheme] = page.browser.run("return getComputedStyle(document.body).backgroundColor")
        page.pictures_of_all(scheme)
    check(colors["dark"] != colors["light"], "dark looks as light: %s" % colors["dark"])
    page.browser.click("#theme")
    page.browser.click("#theme")
    chosen = page.browser.run("return getComputedStyle(document.body).backgroundColor")
    check(chosen == colors["dark"], "the button does not make it dark: %s" % chosen)
    page.reload("sessions")
    kept = page.browser.run("return getComputedStyle(document.body).backgroundColor")
    check(kept == colors["dark"], "the choice is not remembered")
    page.browser.click("#theme")


def every_control_has_a_name(page):
    page.browser.cdp("Accessibility.enable")
    for tab in TABS:
        page.show(tab)
        nodes = page.browser.cdp("Accessibility.getFullAXTree")["nodes"]
        controls = [node for node in nodes if not node["ignored"] and node["role"]["value"] in CONTROLS]
        nameless = [node["role"]["value"] for node in controls if not node.get("name", {}).get("value")]
        check(len(controls) > 8 and not nameless, "controls of %s without a name: %s" % (tab, ", ".join(nameless) or "all"))


def the_console_has_no_complaints(page):
    # A request that is refused is told by the browser too; those that the checks provoke end in 400.
    complaints = [it for it in page.browser.complaints() if "status of 400" not in it]
    check(not complaints, "the browser's console says: %s" % "; ".join(complaints[:5]))


def nobody_else_is_asked(page):
    host = urllib.parse.urlsplit(page.url).netloc
    others = [url for url in page.browser.requested() if url.startswith(("http", "ws")) and urllib.parse.urlsplit(url).netloc != host]
    check(not others, "the page asks others: %s" % ", ".join(others[:5]))


WITH_ESME = [a_session_appears, a_message_appears_with_its_state, a_message_opens_and_a_receipt_goes_out, the_time_line_shows_fields_and_octets,
             hostile_text_is_shown_as_text, a_mobile_originated_message_reaches_the_client, a_field_that_cannot_be_is_told, a_rule_changes_the_next_status]
# Without an ESME, too.
ALONE = [tabs_follow_the_arrow_keys, every_control_has_a_name, dark_and_light_differ, a_phone_needs_no_sideways_scroll, a_bad_rule_is_told_with_its_place]
# These end what the others need.
LEAVING = [faults_reach_the_client, unbind_reaches_the_client]
AT_LAST = [the_console_has_no_complaints, nobody_else_is_asked]
