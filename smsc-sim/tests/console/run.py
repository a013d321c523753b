#!/usr/bin/env python3
"""Starts an SMSC simulator, opens its console in a headless Chromium, and looks at it while an ESME is bound.

    run.py [options] -- smsc-sim [its flags]
    run.py [options] --url http://HOST:PORT/

With --url the simulator is one that runs already; then what needs an ESME is left out. Every wait is for something that
can be seen, with a limit; nothing sleeps for a fixed time. Exit status 0 when all is as it must be, else 1, with the first
thing that is not in words.

Needs python3, chromium and chromedriver (Debian packages chromium and chromium-driver).
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import harness
from browser import Browser
from checks import ALONE, AT_LAST, LEAVING, WITH_ESME, Page
from esme import Esme
from harness import Failed, Simulator


def checked(checks, *arguments):
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
            checked(WITH_ESME, page, esme)
        checked(ALONE, page)
        if simulator:
            checked(LEAVING, page, esme)
            esme.close()
        checked(AT_LAST, page)
    finally:
        browser.stop()


def run(args, folder):
    """Returns what went wrong, as lines."""
    if args.url:
        visit(args, folder, args.url, None)
        return []
    simulator = Simulator(args.command, folder / "simulator.log")
    try:
        visit(args, folder, "http://%s/" % simulator.http, simulator)
    finally:
        wrong = simulator.stop()
    return wrong


def parsed():
    parser = harness.parser(__doc__, command="*")
    parser.add_argument("--url", help="a simulator that runs already")
    parser.add_argument("--screenshots", type=pathlib.Path, metavar="DIR", help="save pictures here")
    args = parser.parse_args()
    if bool(args.command) == bool(args.url):
        parser.error("either a command or --url is wanted")
    if args.screenshots:
        args.screenshots.mkdir(parents=True, exist_ok=True)
    return args


if __name__ == "__main__":
    sys.exit(harness.main("console", parsed(), run))
