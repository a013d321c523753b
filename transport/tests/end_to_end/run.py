#!/usr/bin/env python3
"""Runs the transport between a bus and an SMSC, kills each of them again and again, and counts.

    run.py [options] --transport smpp-transport --smsc smsc-sim

The bus is RabbitMQ, or with --bus embedded the transport's own over HTTP. The SMSC is smsc-sim, or with --with node-smpp a
server made of node-smpp. Messages go out and come in all the while. In the end each message that was put on the bus has its
ack and its delivery report, each message from a phone that the SMSC was told is taken is on the bus, and nothing was sent
twice but where an outcome was unknown: the SMSC or the transport went between a submit and its answer. Exit status 0 if so.

smsc-sim loses what it was given in the last tenth of a second when it is killed: with --smsc-signal KILL messages that it does
not know any more need no report. The server made of node-smpp loses nothing.

Needs python3 with venv, redis-server or rabbitmq-server, npm for node-smpp; and registries, or a cache filled before.
"""

import argparse
import datetime
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2] / "smsc-sim" / "tests"), str(HERE)]

import harness
from application import Numbers, OverAmqp, OverHttp
from parts import UNKNOWN, Api, Failed, Programs, Refused, free_port, listens, until

LATE_SECONDS = 2  # after which the SMSC has read what a transport that is gone had written
PATIENCE = 60  # seconds, for all that is outstanding once nothing is killed any more
INTEROP = HERE.parents[2] / "smsc-sim" / "tests" / "interop"
ALWAYS = ["--reconnect-initial", "200ms", "--reconnect-max", "2s", "--smpp-response-timeout", "10s", "--throttle-max", "1s",
          "--submit-registered-delivery-delivery-receipt", "SMSC_DELIVERY_RECEIPT_REQUESTED"]


class Phones:
    """Sends messages, each from a phone of its own: references of long ones come again soon. Counts those of which the SMSC says that they were taken."""

    THREADS = 8

    def __init__(self, port, count, text=lambda number: "phone message %d" % number):
        self.port, self.count, self.text, self.taken, self.is_over = port, count, text, set(), False
        self.allowed, self.numbers = 0, Numbers(0)
        for _ in range(self.THREADS):
            threading.Thread(target=self.send, daemon=True).start()

    def allow(self, share):
        """Those that nobody has taken are made up for by others."""
        self.allowed = share * self.count

    def send(self):
        api = Api(self.port)
        while len(self.taken) < self.count and not self.is_over:
            if len(self.taken) >= self.allowed:
                time.sleep(0.01)
                continue
            number = self.numbers.take()
            text = self.text(number)
            try:
                parts = api.ask("/api/v1/deliver?wait=5s", {"from": "2783%07d" % number, "to": "1001", "text": text})
            except (Refused, *UNKNOWN):
                # An SMSC that is started again knows nothing of it any more: then nobody knows.
                time.sleep(0.05)
                continue
            if all(part["state"] == "accepted" for part in parts):
                self.taken.add(text)


def smsc(args, programs):
    """The SMSC, its SMPP port and that of its API."""
    smpp, http = free_port(), free_port()
    data = programs.folder / "smsc-data"
    if args.with_ == "node-smpp":
        command = ["node", HERE / "smsc.js", smpp, http, data]
    else:
        command = [args.smsc, "--listen", "127.0.0.1:%d" % smpp, "--http", "127.0.0.1:%d" % http, "--log-level", "warn",
                   "--data-dir", data]
    environment = {"NODE_PATH": str(args.cache / "node" / "node_modules")}
    return programs.start("smsc", command, lambda: listens(smpp) and listens(http), environment), smpp, http


def transport(args, programs, smpp):
    """The transport and the application on the other side of its bus."""
    command = [args.transport, "--port", smpp, "--worker-concurrency", 200, "--smpp-window", 50, "--cache-class", "embedded",
               "--data-dir", programs.folder / "transport-data", *ALWAYS]
    if args.bus == "embedded":
        http = free_port()
        command += ["--bus", "embedded", "--http-bind", "127.0.0.1:%d" % http]
        return programs.start("transport", command, lambda: listens(http)), OverHttp(http, args.count)
    _, port = programs.rabbitmq()
    command += ["--amqp-url", "amqp://guest:guest@127.0.0.1:%d/" % port]
    return programs.start("transport", command, lambda: True), OverAmqp(port, args.count)


def kill_all(args, programs, application, phones, progress):
    """Kills what is to be killed, as often as it is to be, in an order and at moments that the seed says, while messages pass."""
    chance = random.Random(args.seed)
    kills = [("smsc", args.smsc_signal)] * args.restarts + [("transport", signal.SIGKILL)] * args.restarts
    if args.bus == "amqp":
        kills += [("broker", signal.SIGKILL), ("broker", signal.SIGTERM)]
    chance.shuffle(kills)
    named = {program.name: program for program in programs.all}
    for done, (name, how) in enumerate(kills):
        share = (done + 1) / (len(kills) + 1)
        application.allow(share)
        phones.allow(share)
        moment = application.count * (share - chance.random() / (len(kills) + 1))
        has_passed = chance.choice([lambda: application.sent, lambda: application.has("ack"), lambda: len(phones.taken)])
        until("messages to pass", PATIENCE, lambda: has_passed() >= moment)
        progress("%s %s" % (name, how.name))
        named[name].restart(how)
    application.allow(1)
    phones.allow(1)


def wait_for_all(transport, application, phones, needs_report):
    """What is not there in the end, in words."""
    def is_reported():
        return application.has("delivered") >= application.count or all(
            "delivered" in application.events.get("m%d" % number, {}) for number in needs_report())

    waits = [("all messages sent", lambda: application.sent >= application.count),
             ("an ack of each", lambda: application.has("ack") >= application.count),
             ("a report of each", is_reported),
             ("all from phones taken", lambda: len(phones.taken) >= phones.count),
             ("all from phones on the bus", lambda: phones.taken <= set(application.inbound.copy()))]
    try:
        for what, condition in waits:
            until(what, PATIENCE, lambda: transport.is_up() and condition())
    except Failed as error:
        return [str(error)]
    return []


def at_the_smsc(http):
    """The SMSC's messages by their number: when each of them came."""
    messages = {}
    for message in Api(http).ask("/api/v1/messages?limit=100000"):
        at = datetime.datetime.fromisoformat(message["submitted_at"].replace("Z", "+00:00")).timestamp()
        messages.setdefault(int(message["to"]["address"][4:]), []).append(at)
    return messages


def doubles(messages, application, ends):
    """How many messages the SMSC has more than once, and those of them for which there is no reason: between one and the next no
    outcome became unknown, and the application put the message on the bus once."""
    twice = {number: sorted(times) for number, times in messages.items() if len(times) > 1}
    unexplained = [number for number, times in twice.items() if number not in application.doubtful and not all(
        any(before - LATE_SECONDS <= end <= after for end in ends) for before, after in zip(times, times[1:]))]
    return twice, unexplained


def summary(application, phones, messages, twice, unexplained, seconds):
    print("out: %d of %d acked, %d reported, %d refused; at the SMSC %d, of which %d more than once (%d of these without a reason)" % (
        application.has("ack"), application.count, application.has("delivered"), application.has("nack"), len(messages), len(twice),
        len(unexplained)))
    print("     %d acks and %d reports more than once; %d put on the bus twice, as nobody had said that they were there" % (
        application.repeated("ack"), application.repeated("delivered"), len(application.doubtful)))
    print("in:  %d taken from phones, %d of them on the bus; %d on the bus more than once" % (
        len(phones.taken), len(phones.taken & set(application.inbound)), sum(count > 1 for count in application.inbound.values())))
    print("in %.0f s" % seconds)


def install(args):
    if args.bus == "amqp":
        [packages] = harness.venv(args.cache / "venv", HERE / "requirements.txt").parent.glob("lib/python*/site-packages")
        sys.path.append(str(packages))
    if args.with_ == "node-smpp":
        harness.node_modules(args.cache / "node", INTEROP)


def run(args, folder):
    """What went wrong, as lines."""
    install(args)
    begun = time.monotonic()
    with Programs(folder) as programs:
        center, smpp, http = smsc(args, programs)
        worker, application = transport(args, programs, smpp)
        phones = Phones(http, args.count)

        def progress(what):
            say(time.monotonic() - begun, what, application, phones)

        kill_all(args, programs, application, phones, progress)
        progress("nothing any more")
        forgets = args.with_ == "smsc-sim" and args.smsc_signal == signal.SIGKILL
        needs_report = (lambda: at_the_smsc(http)) if forgets else (lambda: range(args.count))
        wrong = wait_for_all(worker, application, phones, needs_report)
        progress("all is there" if not wrong else "given up")
        messages = at_the_smsc(http)
        twice, unexplained = doubles(messages, application, center.ends + worker.ends)
        summary(application, phones, messages, twice, unexplained, time.monotonic() - begun)
        application.end()
        phones.is_over = True
        lost = phones.taken - set(application.inbound)
        wrong += ["%d messages from phones are lost: %s" % (len(lost), sorted(lost)[:5])] if lost else []
        wrong += ["%d messages were refused" % application.has("nack")] if application.has("nack") else []
        wrong += ["sent twice without a reason: %s" % unexplained[:5]] if unexplained else []
        if not forgets:
            missing = set(range(args.count)) - set(messages)
            wrong += ["%d messages never came to the SMSC: %s" % (len(missing), sorted(missing)[:5])] if missing else []
        if wrong:
            print("-- the transport's log ends:\n%s" % worker.tail())
    return wrong


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transport", required=True, type=pathlib.Path)
    parser.add_argument("--smsc", required=True, type=pathlib.Path)
    parser.add_argument("--bus", choices=["amqp", "embedded"], default="amqp")
    parser.add_argument("--with", dest="with_", choices=["smsc-sim", "node-smpp"], default="smsc-sim", help="the SMSC")
    parser.add_argument("--smsc-signal", type=lambda name: signal.Signals["SIG" + name], metavar="NAME",
                        help="how the SMSC ends (default: TERM; KILL for node-smpp)")
    parser.add_argument("--count", type=int, default=10_000, metavar="N", help="messages each way (default: 10000)")
    parser.add_argument("--restarts", type=int, default=10, metavar="N", help="of the SMSC and of the transport (default: 10)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="when and in which order (default: 1)")
    parser.add_argument("--cache", type=pathlib.Path, metavar="DIR", help="where to install what is needed, and find it again")
    args = parser.parse_args()
    args.smsc_signal = args.smsc_signal or (signal.SIGKILL if args.with_ == "node-smpp" else signal.SIGTERM)
    args.transport, args.smsc = args.transport.resolve(), args.smsc.resolve()
    return args


def say(seconds, what, application, phones):
    print("%5.1f s: %-20s %5d sent, %5d acks, %5d reports, %5d from phones" % (
        seconds, what, application.sent, application.has("ack"), application.has("delivered"), len(phones.taken)),
        flush=True)


def main(name, args, run):
    """Runs it in a folder of its own, which stays if it fails; the exit status."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="smpp-end-to-end-"))
    args.cache = (args.cache or folder / "cache").resolve()
    try:
        wrong = run(args, folder)
    except (Failed, harness.Failed, OSError) as error:
        wrong = [str(error)]
    for each in wrong:
        print("FAIL " + each)
    if wrong:
        print("what the programs said is in %s" % folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    print("%s: %s" % (name, "failed" if wrong else "passed"))
    return 1 if wrong else 0


if __name__ == "__main__":
    args = parsed()
    sys.exit(main("end to end, %s and %s" % (args.bus, args.with_), args, run))
