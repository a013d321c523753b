#!/usr/bin/env python3
"""Points Kannel, an SMS gateway that many have in production, at an SMSC simulator.

    kannel.py [options] -- smsc-sim [its flags]

Kannel is the ESME, and this script is the application behind it: it sends over smsbox's HTTP interface, and takes
delivery reports and incoming messages on a little HTTP server. What the simulator says of the same messages must agree.
Exit status 0 when every check held, else 1. Needs Kannel's bearerbox and smsbox.
"""

import http.server
import pathlib
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import harness
from api import Api, Refused
from harness import STOP_SECONDS, Failed, Simulator, tail

SENDER, RECIPIENT = "40404", "447700900123"
LONG_TEXT = "The quick brown fox jumps over the lazy dog, part after part. " * 6
SECONDS = 20  # the longest wait for any one thing

# What Kannel says of a message (dlr-mask): the user guide's table of delivery reports.
DELIVERED, FAILED, ACCEPTED_BY_SMSC, REJECTED_BY_SMSC = 1, 2, 8, 16
ALL_REPORTS = 31

CONFIG = """
group = core
admin-port = {admin}
admin-password = secret
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
log-file = {folder}/bearerbox.txt
log-level = 0
dlr-storage = internal
sms-resend-freq = 1
sms-combine-concatenated-mo = true

group = smsc
smsc = smpp
smsc-id = simulator
host = {smsc_host}
port = {smsc_port}
smsc-username = {system_id}
smsc-password = {password}
system-type = ""
transceiver-mode = true
interface-version = 34
reconnect-delay = 1
max-pending-submits = 10

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {send}
log-file = {folder}/smsbox.txt
log-level = 0

group = sendsms-user
username = tester
password = secret
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:{hook}/mo?from=%p&to=%P&text=%b&service=%n"
"""


class Unmet(Exception):
    """What was seen is not what was expected."""


class Hook:
    """A little HTTP server that keeps what Kannel calls."""

    def __init__(self):
        calls = self.calls = queue.Queue()
        self.kept = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                calls.put((url.path, dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))))
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, path, **wanted):
        """What the first call of this path with these values said, among those kept or still to come."""
        deadline = time.monotonic() + SECONDS
        while True:
            for call in self.kept:
                if call[0] == path and all(call[1].get(name) == value for name, value in wanted.items()):
                    self.kept.remove(call)
                    return call[1]
            try:
                self.kept.append(self.calls.get(timeout=max(deadline - time.monotonic(), 0)))
            except queue.Empty:
                raise Unmet("no call of %s with %s; there were %s" % (path, wanted, self.kept or "none")) from None


class Kannel:
    """bearerbox and smsbox, each of which ends with this."""

    def __init__(self, folder, simulator, hook, args):
        self.folder, self.processes = folder, []
        ports = dict(zip(("admin", "boxes", "send"), free_ports(3)))
        self.send_port = ports["send"]
        self.config = folder / "kannel.conf"
        self.config.write_text(CONFIG.format(
            folder=folder, hook=hook.port, smsc_host=simulator.host, smsc_port=simulator.port,
            system_id=args.system_id, password=args.password, **ports))
        self.start("bearerbox", ports["boxes"])
        self.start("smsbox", ports["send"])

    def start(self, name, port):
        """Starts one of the boxes, and waits until it listens."""
        with (self.folder / (name + ".log")).open("wb") as log:
            process = subprocess.Popen([name, str(self.config)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append((name, process))
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Failed("%s does not listen (%s):\n%s" % (name, error, self.logs())) from None
            pause()

    def send(self, text, to=RECIPIENT, **more):
        """Hands a text to smsbox, as an application does."""
        query = {"username": "tester", "password": "secret", "from": SENDER, "to": to, "text": text, **more}
        url = "http://127.0.0.1:%d/cgi-bin/sendsms?%s" % (self.send_port, urllib.parse.urlencode(query))
        try:
            with urllib.request.urlopen(url, timeout=SECONDS) as response:
                status, words = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            status, words = error.code, error.read().decode(errors="replace")
        if status != 202:
            raise Unmet("sendsms was answered with %d %s, expected 202" % (status, words))

    def stop(self):
        """What went wrong: nothing, if both end by themselves."""
        wrong = []
        for name, process in reversed(self.processes):
            if process.poll() is not None:
                wrong.append("%s ended by itself with status %d:\n%s" % (name, process.returncode, self.logs()))
                continue
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                wrong.append("%s was still there %d s after SIGTERM" % (name, STOP_SECONDS))
        return wrong

    def logs(self):
        files = sorted([*self.folder.glob("*box.log"), *self.folder.glob("*box.txt")])
        return "\n".join("-- %s ends:\n%s" % (file.name, tail(file, 15)) for file in files)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def pause():
    threading.Event().wait(0.05)


def equal(what, seen, expected):
    if seen != expected:
        raise Unmet("%s was %r, expected %r" % (what, seen, expected))


CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


@check
def binds_as_transceiver(world):
    sessions = world.api.get("sessions", count=1, wait="%ds" % SECONDS)
    bound = [(each["bind"], each["interface_version"]) for each in sessions if each["bound_at"]]
    equal("bound sessions", bound, [("transceiver", "3.4")])


@check
def submit_and_receipt(world):
    world.kannel.send("hello from Kannel", **world.reports("hello"))
    message = world.message(text="hello from Kannel")
    equal("from", message["from"]["address"], SENDER)
    equal("to", message["to"]["address"], RECIPIENT)
    world.hook.wait("/dlr", of="hello", type=str(ACCEPTED_BY_SMSC))
    report = world.hook.wait("/dlr", of="hello", type=str(DELIVERED))
    equal("id in the delivery report", report["id"], message["id"])
    equal("state", world.api.get("messages/" + message["id"])["state"], "DELIVERED")


@check
def receipt_of_failure(world):
    world.api.put("rules", [{"when": {"to": RECIPIENT}, "then": {"policy": {"outcome": "UNDELIVERABLE", "error": 9}}}])
    world.kannel.send("to nobody", **world.reports("nobody"))
    world.hook.wait("/dlr", of="nobody", type=str(FAILED))
    equal("state", world.message(text="to nobody")["state"], "UNDELIVERABLE")


@check
def refused_submit(world):
    world.api.put("rules", [{"when": {"to": RECIPIENT}, "then": {"status": "ESME_RINVDSTADR"}}])
    world.kannel.send("refused", **world.reports("refused"))
    world.hook.wait("/dlr", of="refused", type=str(REJECTED_BY_SMSC))
    equal("messages", world.api.get("messages", text="refused"), [])


@check
def throttled_submit_comes_again(world):
    world.api.put("rules", [{"when": {"to": RECIPIENT, "first": 1}, "then": {"status": "ESME_RTHROTTLED"}}])
    world.kannel.send("throttled once", **world.reports("throttled"))
    world.message(text="throttled once")
    world.hook.wait("/dlr", of="throttled", type=str(DELIVERED))


@check
def long_message_in_parts(world):
    world.kannel.send(LONG_TEXT, **world.reports("long"))
    parts = world.api.get("messages", to=RECIPIENT, count=3, wait="%ds" % SECONDS)
    equal("parts", [each["part"]["number"] for each in parts], [1, 2, 3])
    equal("text of the whole", parts[-1]["whole_text"], LONG_TEXT)
    world.hook.wait("/dlr", of="long", type=str(DELIVERED))


@check
def message_in_ucs2(world):
    text = "Žluťoučký kůň 你好"
    world.kannel.send(text, coding=2, charset="UTF-8", **world.reports("ucs2"))
    equal("text", world.message()["text"], text)
    world.hook.wait("/dlr", of="ucs2", type=str(DELIVERED))


@check
def mobile_originated(world):
    world.deliver(text="hello from a phone")
    call = world.hook.wait("/mo")
    seen = (call["from"], call["to"], call["text"])
    # Both are international, where nobody says otherwise: Kannel writes that as a plus.
    equal("what Kannel hands on", seen, ("+" + RECIPIENT, "+" + SENDER, "hello from a phone"))


@check
def long_mobile_originated(world):
    parts = world.deliver(text=LONG_TEXT, multipart="udh8")
    equal("more than one part", len(parts) > 1, True)
    equal("text of the whole", world.hook.wait("/mo")["text"], LONG_TEXT)


@check
def binds_again_after_a_reset(world):
    before = world.api.get("sessions")[0]["id"]
    world.api.delete("sessions/%d?how=reset" % before)
    deadline = time.monotonic() + SECONDS
    while not [each for each in world.api.get("sessions", count=1, wait="1s") if each["bound_at"] and each["id"] != before]:
        if time.monotonic() > deadline:
            raise Unmet("no new session %d s after a reset" % SECONDS)
    world.kannel.send("and on it goes", **world.reports("again"))
    world.message(text="and on it goes")
    world.hook.wait("/dlr", of="again", type=str(DELIVERED))


class World:
    def __init__(self, api, kannel, hook):
        self.api, self.kannel, self.hook = api, kannel, hook

    def reports(self, name):
        """Asks Kannel for every report, by this name."""
        url = "http://127.0.0.1:%d/dlr?of=%s&type=%%d&id=%%F" % (self.hook.port, name)
        return {"dlr-mask": ALL_REPORTS, "dlr-url": url}

    def message(self, **wanted):
        """The message in the simulator, once it is there."""
        messages = self.api.get("messages", count=1, wait="%ds" % SECONDS, **wanted)
        if len(messages) != 1:
            raise Unmet("%d messages with %s, expected 1" % (len(messages), wanted))
        return messages[0]

    def deliver(self, **mo):
        """A message from a phone, which Kannel must take."""
        deliveries = self.api.post("deliver", {"from": RECIPIENT, "to": SENDER, **mo}, wait="%ds" % SECONDS)
        equal("states of the deliveries", {each["state"] for each in deliveries}, {"accepted"})
        return deliveries


def checked(world):
    """Prints a line for each check; returns how many failed."""
    failed = 0
    for number, function in enumerate(CHECKS, 1):
        name = "%02d %s" % (number, function.__name__)
        try:
            world.api.post("reset", {})
            function(world)
        except (Unmet, Refused, OSError, LookupError, TypeError) as error:
            failed += 1
            print("FAIL %s: %s" % (name, error if isinstance(error, (Unmet, Refused)) else repr(error)), flush=True)
        else:
            print("ok %s" % name, flush=True)
    print("%d passed, %d failed" % (len(CHECKS) - failed, failed))
    return failed


def run(args, folder):
    """Returns what went wrong, as lines."""
    for program in ("bearerbox", "smsbox"):
        if not shutil.which(program):
            raise Failed("there is no %s: install Kannel" % program)
    simulator, wrong = Simulator(args.command, folder / "simulator.log"), []
    try:
        hook = Hook()
        kannel = Kannel(folder, simulator, hook, args)
        try:
            if failed := checked(World(Api(simulator.http), kannel, hook)):
                wrong.append("%d checks; Kannel says:\n%s" % (failed, kannel.logs()))
        finally:
            wrong += kannel.stop()
        left = [each for each in Api(simulator.http).get("sessions") if each["bound_at"]]
        if left:
            wrong.append("Kannel left %d sessions bound" % len(left))
    finally:
        wrong += simulator.stop()
    if wrong:
        print("-- the simulator's standard error ends:\n%s" % tail(simulator.log))
    return wrong


def parsed():
    parser = harness.parser(__doc__)
    parser.add_argument("--system-id", default="smppclient1")
    parser.add_argument("--password", default="password")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(harness.main("kannel", parsed(), run))
