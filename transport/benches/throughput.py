#!/usr/bin/env python3
"""How fast the whole transport is through RabbitMQ: message, submit_sm, its response, ack event, acknowledgement.

    throughput.py [options]

Beside it runs the plainest program that takes messages from a queue, publishes an event for each, waits until that is confirmed,
and acknowledges (the example amqp_plain): on the same broker, in turns, and measured in the same way. The share is the median of
the rounds' shares. `--against FILE` runs another build of the transport in place of the plainest program, and compares the embedded
bus as well: messages posted over HTTP in arrays of 500, until all have their events. Then the time from a message to its event at 150 messages a second, and what the transport has in memory while
100,000 messages wait and while it sends them. The SMSC is smsc-sim, on the same machine.

Builds what it runs. Needs rabbitmq-server, python3 with venv, and PyPI or a cache that has been filled before.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "smsc-sim" / "tests"), str(ROOT / "transport" / "tests" / "end_to_end")]

import harness
from application import message
from parts import Programs, free_port, listens

NAME = "bench"
BINARIES = ROOT / "target" / "release"
LOOK_SECONDS = 0.01
PATIENCE = 300
BOUND_SECONDS = 2  # from the start of a program until it takes messages, amply
POSTED = 500  # messages in a request
LAST_SECONDS = 10  # without an event, after which no more come


class Broker:
    """RabbitMQ, and what to ask it."""

    def __init__(self, programs):
        import pika
        self.pika = pika
        _, self.port = programs.rabbitmq()
        self.url = "amqp://127.0.0.1:%d" % self.port

    def channel(self):
        return self.pika.BlockingConnection(self.pika.ConnectionParameters("127.0.0.1", self.port, heartbeat=0)).channel()

    def fill(self, count):
        subprocess.run([BINARIES / "examples" / "amqp_plain", "fill", self.url, str(count)], check=True)

    def rate(self, count):
        """Events a second, from the first twentieth of them to the last."""
        begun, first, deadline = None, 0, time.monotonic() + PATIENCE
        with self.channel() as channel:
            while time.monotonic() < deadline:
                there, now = self.events(channel), time.monotonic()
                if begun is None and there >= count / 20:
                    begun, first = now, there
                if there >= count:
                    return (there - first) / (now - begun)
                time.sleep(LOOK_SECONDS)
        raise harness.Failed("%d of %d events within %d s" % (there, count, PATIENCE))

    def events(self, channel):
        return channel.queue_declare(NAME + ".event", passive=True).method.message_count


class Embedded:
    """A transport with the embedded bus, in a folder of its own."""

    def __init__(self, programs, binary, smpp, folder):
        self.http = free_port()
        self.program = programs.start("embedded", [
            binary, "--bus", "embedded", "--data-dir", folder, "--http-bind", "127.0.0.1:%d" % self.http, "--port", smpp,
            "--smpp-window", 200, "--worker-concurrency", 200, "--log-level", "WARNING"], lambda: listens(self.http))

    def ask(self, path, body=None):
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.http, path), body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()

    def rate(self, count):
        """Events a second, from the first message posted to the last event."""
        begun, there, after, deadline = time.monotonic(), 0, 0, time.monotonic() + PATIENCE
        for first in range(0, count, POSTED):
            messages = [message(number, "hello") for number in range(first, first + POSTED)]
            self.ask("/outbound", json.dumps(messages).encode())
        while there < count and time.monotonic() < deadline:
            there = self.acks()
            time.sleep(LOOK_SECONDS)
        self.program.end()
        if there < count:
            raise harness.Failed("%d of %d events" % (there, count))
        return count / (time.monotonic() - begun)

    def acks(self):
        lines = self.ask("/metrics").decode().splitlines()
        found = [line.split()[-1] for line in lines if line.startswith('smpp_events_total{kind="ack"}')]
        return int(found[0]) if found else 0


class Bench:
    def __init__(self, programs, against):
        self.programs, self.broker, self.smpp, self.against = programs, Broker(programs), free_port(), against
        self.smsc_command = [BINARIES / "smsc-sim", "--listen", "127.0.0.1:%d" % self.smpp, "--http", "off", "--log-level", "warn"]

    def smsc(self):
        return self.programs.start("smsc", self.smsc_command, lambda: listens(self.smpp))

    def transport(self, prefetch, binary=BINARIES / "smpp-transport"):
        return self.programs.start("transport", [
            binary, "--amqp-url", self.broker.url, "--port", self.smpp, "--transport-name", NAME,
            "--amqp-prefetch", prefetch, "--smpp-window", prefetch, "--log-level", "WARNING"], lambda: True)

    def other(self, prefetch, count):
        """The program that ours is compared with."""
        if self.against:
            return self.transport(prefetch, self.against)
        command = [BINARIES / "examples" / "amqp_plain", "loop", self.broker.url, prefetch, count]
        return self.programs.start("plain", command, lambda: True)

    def rate(self, start, count):
        self.broker.fill(count)
        program = start()
        try:
            return self.broker.rate(count)
        finally:
            program.end()

    def shares(self, prefetch, count, rounds):
        """The medians of the rates of both, and of the shares."""
        found = []
        for _ in range(rounds):
            other = self.rate(lambda: self.other(prefetch, count), count)
            ours = self.rate(lambda: self.transport(prefetch), count)
            found.append((other, ours, ours / other))
        return [statistics.median(column) for column in zip(*found)]

    def embedded_shares(self, count, rounds, folder):
        """The same of the embedded bus."""
        found = []
        for number in range(rounds):
            rates = [Embedded(self.programs, binary, self.smpp, folder / ("%s%d" % (which, number))).rate(count)
                     for which, binary in [("other", self.against), ("ours", BINARIES / "smpp-transport")]]
            found.append((*rates, rates[1] / rates[0]))
        return [statistics.median(column) for column in zip(*found)]

    def latencies(self, start, per_second, seconds):
        """From before a message is published until its event is here, in milliseconds: half of them, and 99 of 100, are below."""
        self.broker.fill(0)
        program, count, sent, heard = start(), per_second * seconds, {}, {}
        with self.broker.channel() as taker, self.broker.channel() as putter:
            def take():
                for _, _, body in taker.consume(NAME + ".event", auto_ack=True, inactivity_timeout=LAST_SECONDS):
                    if body:
                        heard[json.loads(body)["user_message_id"]] = time.monotonic()
                    if not body or len(heard) == count:
                        return
            thread = threading.Thread(target=take, daemon=True)
            thread.start()
            time.sleep(BOUND_SECONDS)
            begun = time.monotonic()
            for number in range(count):
                time.sleep(max(begun + number / per_second - time.monotonic(), 0))
                body = {**message(number, "hello"), "transport_name": NAME}
                sent[body["message_id"]] = time.monotonic()
                properties = self.broker.pika.BasicProperties(delivery_mode=2)
                putter.basic_publish("vumi", NAME + ".outbound", json.dumps(body), properties)
            thread.join()
        program.end()
        if len(heard) < count:
            raise harness.Failed("%d of %d events" % (len(heard), count))
        times = sorted((heard[name] - sent[name]) * 1_000 for name in heard)
        return times[len(times) // 2], times[len(times) * 99 // 100]

    def memory(self, prefetch, count):
        """MiB: while all wait, as there is no SMSC; and the most while they are sent."""
        self.broker.fill(count)
        transport, most, there = self.transport(prefetch), 0, 0
        time.sleep(BOUND_SECONDS)
        waiting = transport.rss_mebioctets()
        smsc = self.smsc()
        with self.broker.channel() as channel:
            while there < count:
                transport.is_up()
                most, there = max(most, transport.rss_mebioctets()), self.broker.events(channel)
                time.sleep(LOOK_SECONDS * 5)
        transport.end()
        smsc.end()
        return waiting, most


def run(args, folder):
    if not args.no_build:
        build = ["cargo", "build", "--locked", "--release"]
        subprocess.run([*build, "-p", "smpp-transport", "-p", "smsc-sim"], cwd=ROOT, check=True)
        subprocess.run([*build, "-p", "smpp-transport", "--example", "amqp_plain"], cwd=ROOT, check=True)
    requirements = ROOT / "transport" / "tests" / "end_to_end" / "requirements.txt"
    [packages] = harness.venv(args.cache / "venv", requirements).parent.glob("lib/python*/site-packages")
    sys.path.append(str(packages))
    with Programs(folder) as programs:
        bench = Bench(programs, args.against)
        smsc, other = bench.smsc(), "other" if args.against else "plain"
        print("| prefetch and window | %s, messages/s | transport, messages/s | share |\n|---|---|---|---|" % other, flush=True)
        for prefetch in args.prefetch:
            print("| %d | %.0f | %.0f | %.0f %% |" % (prefetch, *percent(bench.shares(prefetch, args.count, args.rounds))), flush=True)
        if args.against:
            print("| embedded | %.0f | %.0f | %.0f %% |" % percent(bench.embedded_shares(args.count, args.rounds, folder)), flush=True)
        print("\nat %d messages/s, from message to event: ms of half of them, and of 99 of 100" % args.pace)
        for name, start in [(other, lambda: bench.other(20, args.pace * args.seconds)), ("transport", lambda: bench.transport(20))]:
            print("%-10s p50 %5.1f  p99 %5.1f" % (name, *bench.latencies(start, args.pace, args.seconds)), flush=True)
        smsc.end()
        print("\n%d messages waiting, prefetch 1000: %.0f MiB; at most %.0f MiB while they are sent" % (
            args.waiting, *bench.memory(1_000, args.waiting)))


def percent(figures):
    other, ours, share = figures
    return other, ours, 100 * share


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prefetch", type=int, nargs="+", default=[20, 200, 1_000], metavar="N")
    parser.add_argument("--count", type=int, default=20_000, metavar="N", help="messages in a round (default: 20000)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of each (default: 3)")
    parser.add_argument("--pace", type=int, default=150, metavar="N", help="messages a second for latencies (default: 150)")
    parser.add_argument("--seconds", type=int, default=20, metavar="N", help="how long (default: 20)")
    parser.add_argument("--waiting", type=int, default=100_000, metavar="N", help="messages for memory (default: 100000)")
    parser.add_argument("--against", type=lambda name: pathlib.Path(name).resolve(), metavar="FILE", help="another build of smpp-transport")
    parser.add_argument("--no-build", action="store_true", help="run what is built already")
    parser.add_argument("--cache", type=pathlib.Path, metavar="DIR", default=ROOT / ".tools" / "end_to_end")
    return parser.parse_args()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="smpp-throughput-", ignore_cleanup_errors=True) as folder:
        run(parsed(), pathlib.Path(folder))
