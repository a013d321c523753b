#!/usr/bin/env python3
"""Starts an SMSC simulator, opens its console in a headless Chromium, and looks at it while an ESME is bound.

    run.py [options] -- smsc-sim [its flags]
    run.py [options] --url http://HOST:PORT/

With --url the simulator is one that runs already; then what needs an ESME is left out. Every wait is for something that
can be seen, with a limit; nothing sleeps for a fixed time. Exit status 0 when all is as it must be, else 1, with the first
thing that is not in words.

Needs python3, chromium and chromedriver (Debian packages chromium and chromium-driver).
"""

import argparse
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import threading

from browser import Browser, Failed
from checks import ALONE, AT_LAST, LEAVING, WITH_ESME, Page
from esme import Esme

READY_SECONDS = 30
STOP_SECONDS = 30


class Simulator:
    def __init__(self, command, log):
        self.log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen([*command, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=stderr, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        try:
            ready = re.match(r"ready smpp=(\S+):(\d+) http=(\S+) seed=", self.lines.get(timeout=READY_SECONDS))
        except queue.Empty:
            ready = None
        if not ready:
            self.stop()
            raise Failed("no ready line within %d s; standard error:\n%s" % (READY_SECONDS, log.read_text(errors="replace")[-4000:]))
        self.host, self.port, self.url = ready.group(1), int(ready.group(2)), "http://%s/" % ready.group(3)

    def read(self):
        """In a thread, so that waiting has a limit and no pipe fills."""
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()


def run(checks, *arguments):
    for each in checks:
        words = each.__name__.replace("_", " ")
        try:
            each(*arguments)
        except (Failed, OSError) as error:
            raise Failed("%s: %s" % (words, error)) from error
        print("ok   " + words, flush=True)


def visit(args, folder, url, simulator):
    browser = Browser(folder / "profile", folder / "driver.log")
    try:
        page = Page(browser, url, args.screenshots)
        browser.view(1440, 900)
        browser.prefer("light")
        browser.open("about:blank")
        browser.requested()  # what the browser's own first page asked for
        page.reload("sessions")
        if simulator:
            esme = Esme(simulator.host, simulator.port)
            run(WITH_ESME, page, esme)
        run(ALONE, page)
        if simulator:
            run(LEAVING, page, esme)
            esme.close()
        run(AT_LAST, page)
    finally:
        browser.stop()


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="the simulator and its flags; --listen and --http are added")
    parser.add_argument("--url", help="a simulator that runs already")
    parser.add_argument("--screenshots", type=pathlib.Path, metavar="DIR", help="save pictures here")
    parser.add_argument("--cache", type=pathlib.Path, metavar="DIR", help="taken as by the other runs, and not needed: nothing is fetched")
    args = parser.parse_args()
    if bool(args.command) == bool(args.url):
        parser.error("either a command or --url is wanted")
    if args.screenshots:
        args.screenshots.mkdir(parents=True, exist_ok=True)
    return args


def main():
    args = parsed()
    wrong = simulator = None
    with tempfile.TemporaryDirectory(prefix="smsc-console-", ignore_cleanup_errors=True) as folder:
        folder = pathlib.Path(folder)
        try:
            simulator = Simulator(args.command, folder / "simulator.log") if args.command else None
            visit(args, folder, simulator.url if simulator else args.url, simulator)
        except (Failed, OSError) as error:
            wrong = str(error)
        finally:
            if simulator:
                simulator.stop()
    if wrong:
        print("FAIL " + wrong)
    print("console: %s" % ("failed" if wrong else "passed"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
