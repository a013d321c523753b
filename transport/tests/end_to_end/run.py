#!/usr/bin/env python3
"""Runs the transport between a RabbitMQ and an SMSC simulator, kills each of them again and again, and counts.

    run.py [options] --transport smpp-transport --smsc smsc-sim

Messages go out and come in all the while. In the end each message that was put on the bus has its ack and its delivery
report, each message that the SMSC was told is taken is on the bus, and nothing was sent twice but where an outcome was
unknown: the line or a process went between a submit and its answer. Exit status 0 if so, else 1.

Needs rabbitmq-server, python3 with venv, and PyPI or a cache that has been filled before.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 60  # seconds, for all that is outstanding once nothing is killed any more
START_SECONDS = 60
NAME = "smpp"


class Failed(Exception):
    """The run cannot go on."""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def until(what, seconds, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed("%s: not within %d s" % (what, seconds))
        time.sleep(0.05)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Program:
    """A program that is killed and started again, with the same command, folder and ports."""

    def __init__(self, name, command, folder, port, environment=None):
        self.name, self.command, self.folder, self.port = name, command, folder, port
        self.environment = {**os.environ, **(environment or {})}
        self.log = (folder / (name + ".log")).open("ab")
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log, start_new_session=True)
        if self.port:
            until("%s to listen" % self.name, START_SECONDS, lambda: self.is_up() and answers(self.port))

    def is_up(self):
        if self.process.poll() is not None:
            raise Failed("%s ended by itself with status %d:\n%s" % (self.name, self.process.returncode, self.tail()))
        return True

    def end(self, how):
        os.killpg(self.process.pid, how)
        self.process.wait(START_SECONDS)

    def tail(self):
        text = (self.folder / (self.name + ".log")).read_text(errors="replace")
        return "\n".join(text.splitlines()[-30:])


def broker(folder):
    """A RabbitMQ of its own, with its own node, folders and ports."""
    server = shutil.which("rabbitmq-server", path=os.environ["PATH"] + ":/usr/lib/rabbitmq/bin:/usr/sbin")
    direct = pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    server = str(direct) if direct.exists() else server
    if not server:
        raise Failed("there is no rabbitmq-server")
    port, home = free_port(), folder / "broker"
    home.mkdir()
    (home / "enabled_plugins").write_text("[].\n")
    environment = {
        "RABBITMQ_NODENAME": "end%d@localhost" % port, "RABBITMQ_NODE_PORT": str(port), "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(free_port()), "ERL_EPMD_PORT": str(free_port()), "HOME": str(home),
        "RABBITMQ_MNESIA_BASE": str(home / "data"), "RABBITMQ_LOG_BASE": str(home / "log"), "RABBITMQ_LOGS": "-",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"), "RABBITMQ_CONFIG_FILE": str(home / "none"),
    }
    return Program("broker", [server], home, port, environment)


class Api:
    def __init__(self, port):
        self.base = "http://127.0.0.1:%d" % port

    def ask(self, path, body=None, timeout=30):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return json.load(response)


class Application:
    """What is on the other side of the bus: it sends, takes inbound messages and events, and comes back."""

    def __init__(self, port, count):
        import pika
        self.pika, self.port, self.count = pika, port, count
        self.events, self.inbound, self.sent = {}, {}, 0
        self.is_over = False
        self.threads = [threading.Thread(target=target, daemon=True) for target in (self.send, self.take)]
        for thread in self.threads:
            thread.start()

    def channel(self):
        parameters = self.pika.ConnectionParameters("127.0.0.1", self.port, heartbeat=10, blocked_connection_timeout=30)
        channel = self.pika.BlockingConnection(parameters).channel()
        channel.exchange_declare("vumi", exchange_type="direct", durable=True)
        for queue in ("outbound", "inbound", "event"):
            name = "%s.%s" % (NAME, queue)
            channel.queue_declare(name, durable=True)
            channel.queue_bind(name, "vumi", name)
        return channel

    def again(self, work):
        while not self.is_over:
            try:
                if work(self.channel()):
                    return
            except (self.pika.exceptions.AMQPError, OSError):
                time.sleep(0.2)

    def send(self):
        def work(channel):
            channel.confirm_delivery()
            while self.sent < self.count:
                number = self.sent
                body = {"to_addr": "2782%07d" % number, "from_addr": "1001", "transport_name": NAME, "transport_type": "sms",
                        "content": "message %d" % number, "message_id": "m%d" % number}
                channel.basic_publish("vumi", NAME + ".outbound", json.dumps(body),
                                      self.pika.BasicProperties(delivery_mode=2))
                self.sent += 1
            return True
        self.again(work)

    def take(self):
        def work(channel):
            channel.basic_qos(prefetch_count=500)
            queues = {NAME + ".inbound": self.take_inbound, NAME + ".event": self.take_event}
            for queue in queues:
                channel.basic_consume(queue, lambda channel, method, _, body, taken=queues[queue]: (
                    taken(json.loads(body)), channel.basic_ack(method.delivery_tag)))
            while not self.is_over:
                channel.connection.process_data_events(time_limit=0.2)
            return True
        self.again(work)

    def take_event(self, event):
        kind = event["event_type"] if event["event_type"] != "delivery_report" else event["delivery_status"]
        kinds = self.events.setdefault(event["user_message_id"], {})
        kinds[kind] = kinds.get(kind, 0) + 1

    def take_inbound(self, message):
        self.inbound[message["content"]] = self.inbound.get(message["content"], 0) + 1

    def has(self, kind):
        return sum(1 for kinds in self.events.values() if kind in kinds)


class Phones:
    """Sends messages from phones; counts those of which the SMSC says that they were taken."""

    THREADS = 8

    def __init__(self, api, count):
        self.api, self.count, self.taken, self.is_over = api, count, set(), False
        for number in range(self.THREADS):
            threading.Thread(target=self.send, args=(number,), daemon=True).start()

    def send(self, thread):
        number = 0
        while len(self.taken) < self.count and not self.is_over:
            number += 1
            text = "phone %d message %d" % (thread, number)
            try:
                body = {"from": "27831112222", "to": "1001", "text": text}
                [delivery] = self.api.ask("/api/v1/deliver?wait=5s", body)
            except (OSError, urllib.error.URLError, ValueError):
                # A simulator that is started again knows nothing of it any more: then nobody knows.
                time.sleep(0.05)
                continue
            if delivery["state"] == "accepted":
                self.taken.add(text)


def run(args, folder):
    chance = random.Random(args.seed)
    smpp, http = free_port(), free_port()
    rabbit = broker(folder)
    smsc = Program("smsc", [args.smsc, "--listen", "127.0.0.1:%d" % smpp, "--http", "127.0.0.1:%d" % http, "--log-level", "warn",
                            "--data-dir", str(folder / "smsc-data")], folder, smpp)
    transport = Program("transport", [
        args.transport, "--amqp-url", "amqp://guest:guest@127.0.0.1:%d/" % rabbit.port, "--port", str(smpp),
        "--worker-concurrency", "200", "--smpp-window", "50", "--cache-class", "embedded", "--reconnect-initial", "200ms",
        "--reconnect-max", "2s", "--smpp-response-timeout", "10s", "--data-dir", str(folder / "transport-data"),
        "--submit-registered-delivery-delivery-receipt", "SMSC_DELIVERY_RECEIPT_REQUESTED", "--throttle-max", "1s"], folder, None)
    application = Application(rabbit.port, args.count)
    phones = Phones(Api(http), args.count)
    kills = [("broker", signal.SIGKILL), ("broker", signal.SIGTERM)] + [("smsc", signal.SIGTERM)] * args.restarts \
        + [("transport", signal.SIGKILL)] * args.restarts
    chance.shuffle(kills)
    programs = {"broker": rabbit, "smsc": smsc, "transport": transport}
    start = time.monotonic()
    for name, how in kills:
        time.sleep(chance.uniform(0.3, 1.5))
        print("%5.1f s: %s %s; %d sent, %d acks, %d reports, %d taken" % (
            time.monotonic() - start, name, how.name, application.sent, application.has("ack"), application.has("delivered"),
            len(phones.taken)), flush=True)
        programs[name].end(how)
        programs[name].start()
    wrong = []
    try:
        until("all messages sent", PATIENCE, lambda: transport.is_up() and application.sent >= args.count)
        until("all acks", PATIENCE, lambda: transport.is_up() and application.has("ack") >= args.count)
        until("all reports", PATIENCE, lambda: transport.is_up() and application.has("delivered") >= args.count)
        until("all from phones", PATIENCE, lambda: len(phones.taken) >= args.count)
        until("all from phones on the bus", 30, lambda: phones.taken <= set(application.inbound))
    except Failed as error:
        wrong.append(str(error))
    lost = phones.taken - set(application.inbound)
    refused = application.has("nack")
    messages, unreported = {}, 0
    for message in Api(http).ask("/api/v1/messages?limit=100000"):
        number = message["to"]["address"]
        messages[number] = messages.get(number, 0) + 1
        known = application.events.get("m%d" % int(number[4:]), {})
        if "delivered" not in known and unreported < 3:
            unreported += 1
            print("-- %s has only %s; the SMSC says: id %s, %s, receipts %s" % (
                number, sorted(known), message["id"], message["state"], message["receipts"]))
    twice = sum(count - 1 for count in messages.values())
    print("%d of %d messages acked, %d reported, %d refused; at the SMSC %d, of which %d more than once" % (
        application.has("ack"), args.count, application.has("delivered"), refused, len(messages), twice))
    print("%d from phones taken, %d of them on the bus, %d more than once" % (
        len(phones.taken), len(phones.taken) - len(lost), sum(count - 1 for count in application.inbound.values())))
    if lost:
        wrong.append("%d messages from phones are lost: %s" % (len(lost), sorted(lost)[:5]))
    if refused:
        wrong.append("%d messages were refused" % refused)
    application.is_over = phones.is_over = True
    for program in (transport, smsc, rabbit):
        program.end(signal.SIGTERM)
    if wrong:
        print("-- the transport's log ends:\n%s" % transport.tail())
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transport", required=True, type=pathlib.Path)
    parser.add_argument("--smsc", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=10_000, metavar="N", help="messages each way (default: 10000)")
    parser.add_argument("--restarts", type=int, default=10, metavar="N", help="of the SMSC and of the transport (default: 10)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="when and in which order (default: 1)")
    args = parser.parse_args()
    args.transport, args.smsc = str(args.transport.resolve()), str(args.smsc.resolve())
    with tempfile.TemporaryDirectory(prefix="smpp-end-to-end-", ignore_cleanup_errors=True) as folder:
        try:
            wrong = run(args, pathlib.Path(folder))
        except (Failed, OSError) as error:
            wrong = [str(error)]
    for each in wrong:
        print("FAIL " + each)
    print("end to end: %s" % ("failed" if wrong else "passed"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
