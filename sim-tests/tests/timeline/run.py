#!/usr/bin/env python3
"""Makes time lines with `sim-tests replay --html`, opens them in a headless Chromium, and looks at them.

    run.py [options] -- sim-tests

Every wait is for something that can be seen, with a limit. Exit status 0 when all is as it must be, else 1, with the first
thing that is not in words.

Needs python3, chromium and chromedriver (Debian packages chromium and chromium-driver).
"""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "smsc-sim/tests"), str(ROOT / "smsc-sim/tests/console")]

import harness
from browser import Browser
from harness import Failed
from looks import BROKEN, CALM, FAULTY, HUGE, LARGE, Page

MAKE_SECONDS = 120


def made(command, folder, name, *what):
    """The page of a run; it may break a promise, and nothing else may be wrong with it."""
    file = folder / (name + ".html")
    ran = subprocess.run([*command, "replay", *what, "--quiet", "--html", str(file)], stdin=subprocess.DEVNULL, capture_output=True,
                         text=True, timeout=MAKE_SECONDS)
    if ran.returncode not in (0, 1):
        raise Failed("%s: status %d: %s" % (name, ran.returncode, ran.stderr))
    return file


def huge(folder):
    """A plan of more than 20,000 facts: one ESME and many messages, each with a receipt."""
    plan = json.loads((HERE / "restless.json").read_text())
    messages = [{"at_ms": 10 + 2 * number, "octets": 40, "registered_delivery": 1} for number in range(2000)]
    plan["clients"][0].update(kind="transceiver", window=10, messages=messages)
    file = folder / "huge.json"
    file.write_text(json.dumps(plan))
    return str(file)


def looked_at(browser, args, file, checks):
    page = Page(browser, file, args.screenshots)
    page.open()
    for each in checks:
        words = "%s: %s" % (file.stem, each.__name__.replace("_", " "))
        try:
            each(page)
            page.is_content()
        except (Failed, OSError) as error:
            raise Failed("%s: %s" % (words, error)) from error
        print("ok   " + words, flush=True)


def run(args, folder):
    """Returns what went wrong, as lines."""
    plan = folder / "restless.json"
    plan.write_text((HERE / "restless.json").read_text())
    pages = [
        (made(args.command, folder, "calm", "1", "--profile", "calm"), CALM),
        (made(args.command, folder, "turmoil", "14", "--profile", "calm", "--tier", "turmoil"), CALM),
        (made(args.command, folder, "faulty", str(ROOT / "fixtures/seeds/two-processes-and-a-broker-that-restarts.json")), FAULTY),
        (made(args.command, folder, "broken", str(plan)), BROKEN),
        (made(args.command, folder, "large", "13"), LARGE),
        (made(args.command, folder, "huge", huge(folder)), HUGE),
    ]
    browser = Browser(folder / "profile", folder / "driver.log")
    try:
        browser.view(1440, 900)
        for file, checks in pages:
            looked_at(browser, args, file, checks)
    finally:
        browser.stop()
    return []


def parsed():
    parser = harness.parser(__doc__)
    parser.add_argument("--screenshots", type=pathlib.Path, metavar="DIR", help="save pictures here")
    args = parser.parse_args()
    if args.screenshots:
        args.screenshots.mkdir(parents=True, exist_ok=True)
    return args


if __name__ == "__main__":
    sys.exit(harness.main("timeline", parsed(), run))
