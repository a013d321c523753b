"""A headless Chromium, spoken to as WebDriver says: JSON over HTTP to chromedriver. No more of it than the test needs."""

import base64
import http.client
import json
import re
import shutil
import subprocess
import time

from harness import Failed

SEEN_SECONDS = 15
START_SECONDS = 60
REPLY_SECONDS = 60
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's reference in WebDriver
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Home": "\ue011", "End": "\ue010", "ArrowLeft": "\ue012", "ArrowUp": "\ue013",
        "ArrowRight": "\ue014", "ArrowDown": "\ue015", "Tab": "\ue004"}


class Browser:
    def __init__(self, profile, log):
        driver, chromium = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
        if not driver or not chromium:
            raise Failed("chromium and chromedriver are wanted (Debian packages chromium and chromium-driver)")
        self.log = log.open("wb")
        self.process = subprocess.Popen([driver, "--port=0"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True)
        try:
            self.port = self.find_port()
            self.session = self.start(chromium, profile)
        except BaseException:
            self.process.kill()
            raise

    def start(self, chromium, profile):
        # Nobody but the simulator is to be asked anything, not even by the browser on its own account.
        arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
                     "--no-first-run", "--window-size=1440,900", "--user-data-dir=%s" % profile]
        wanted = {"browserName": "chrome", "unhandledPromptBehavior": "ignore", "goog:chromeOptions": {"binary": chromium, "args": arguments},
                  "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        return self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def find_port(self):
        deadline = time.monotonic() + START_SECONDS
        for line in self.process.stdout:
            if match := re.search(r"started successfully on port (\d+)", line):
                return int(match.group(1))
            if time.monotonic() > deadline:
                break
        raise Failed("chromedriver does not start")

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REPLY_SECONDS)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
            value = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and value.get("error"):
            raise Failed("the browser says: %s: %s" % (value["error"], value["message"].splitlines()[0]))
        return value

    def do(self, path, body):
        return self.ask("POST", "/session/%s%s" % (self.session, path), body)

    def open(self, url):
        self.do("/url", {"url": url})

    def run(self, script, *arguments):
        """Runs the body of a function in the page; gives what it returns."""
        return self.do("/execute/sync", {"script": script, "args": list(arguments)})

    def see(self, what, script, *arguments):
        """Waits until the script gives something true."""
        deadline = time.monotonic() + SEEN_SECONDS
        while True:
            value = self.run(script, *arguments)
            if value:
                return value
            if time.monotonic() > deadline:
                raise Failed("%s: not seen within %d s" % (what, SEEN_SECONDS))
            time.sleep(0.05)

    def cdp(self, command, **parameters):
        return self.do("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def element(self, selector):
        return self.do("/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.do("/element/%s/click" % self.element(selector), {})

    def type(self, selector, text):
        """Types into a field, instead of what was there."""
        element = self.element(selector)
        self.do("/element/%s/clear" % element, {})
        self.do("/element/%s/value" % element, {"text": text})

    def choose(self, selector, value):
        self.run("const it = document.querySelector(arguments[0]); it.value = arguments[1];"
                 "it.dispatchEvent(new Event('input', {bubbles: true}))", selector, value)

    def press(self, *keys):
        """Keys, where the focus is."""
        actions = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self.do("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def view(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme):
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, file):
        file.write_bytes(base64.b64decode(self.ask("GET", "/session/%s/screenshot" % self.session)))

    def logged(self, kind):
        return self.do("/se/log", {"type": kind})

    def complaints(self):
        """What the page wrote to the console as an error or a warning since the last time."""
        return [line["message"] for line in self.logged("browser") if line["level"] in ("SEVERE", "WARNING")]

    def requested(self):
        """The addresses that were asked for since the last time."""
        events = (json.loads(line["message"])["message"] for line in self.logged("performance"))
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def stop(self):
        try:
            self.ask("DELETE", "/session/%s" % self.session)
        finally:
            self.process.terminate()
            self.process.wait(START_SECONDS)
            self.log.close()
