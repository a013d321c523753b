#!/usr/bin/env python3
"""Runs two transports that share one account, one RabbitMQ and one Redis, which is killed and started again, and counts.

    two.py [options] --transport smpp-transport --smsc smsc-sim

Both bind to the same smsc-sim, which answers late, so that many submits are outstanding; long messages go both ways, and the SMSC
sends receipts and parts to either. Everything that passes is read from the SMSC. In the end each message has its ack and its
report, and each from a phone is on the bus whole; nothing was sent twice; receipts came to the transport that had not sent their
message, parts of one message to both; and no sequence number was in use twice at once. Exit status 0 if so.

Needs what run.py needs, and redis-server.
"""

import argparse
import pathlib
import random
import signal
import sys
import threading
import time

import run
from application import OverAmqp
from parts import UNKNOWN, Api, Programs, Refused, free_port, listens, until
from run import ALWAYS, PATIENCE, Phones, at_the_smsc, say, wait_for_all

RULES = """
- { when: { operation: submit_sm, chance: 0.5 }, then: { delay: 5ms..50ms, policy: { receipt: { session: other } } } }
- { when: { operation: submit_sm }, then: { delay: 5ms..50ms, policy: { receipt: { before_response: true } } } }
"""
LONG = " and its text is so long that it is sent in more parts than one, which is what it is here for" * 2
UDHI = 0x40
RESPONSE = 0x80000000


class Wire:
    """All PDUs that pass, in their order."""

    def __init__(self, port):
        self.port, self.pdus, self.is_over = port, [], False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        api, after = Api(self.port), 0
        while not self.is_over:
            try:
                page = api.ask("/api/v1/pdus?after=%d&limit=10000&wait=200ms" % after)
            except (Refused, *UNKNOWN):
                continue
            if page and page[0]["number"] != after + 1:
                raise run.Failed("PDUs %d to %d were not read in time" % (after + 1, page[0]["number"] - 1))
            self.pdus += page
            after = page[-1]["number"] if page else after

    def end(self):
        time.sleep(0.5)
        self.is_over = True
        self.thread.join()

    def twice_at_once(self):
        """Sequence numbers that one session used while a request of another with the same number had no answer; and the most
        requests that had none at once."""
        out, twice, most = {}, [], 0
        for pdu in self.pdus:
            number, session = pdu["sequence_number"], pdu["session"]
            is_request = not pdu["command_id"] & RESPONSE
            if pdu["way"] == "from_esme" and is_request:
                if number in out:
                    twice.append((number, out[number], session))
                out[number] = session
                most = max(most, len(out))
            elif pdu["way"] == "to_esme" and not is_request and out.get(number) == session:
                del out[number]
        return twice, most

    def blocks(self):
        """The lowest and highest number of each session."""
        found = {}
        for pdu in self.pdus:
            if pdu["way"] == "from_esme" and not pdu["command_id"] & RESPONSE:
                low, high = found.get(pdu["session"], (pdu["sequence_number"],) * 2)
                found[pdu["session"]] = min(low, pdu["sequence_number"]), max(high, pdu["sequence_number"])
        return found

    def messages_in_parts_over_both(self):
        sessions = {}
        for pdu in self.pdus:
            if pdu["command"] == "deliver_sm" and pdu["fields"]["esm_class"] & UDHI:
                header = pdu["fields"]["short_message_hex"][:10]  # length, element, its length, reference, how many
                sessions.setdefault((pdu["fields"]["source_addr"], header), set()).add(pdu["session"])
        return sum(len(each) > 1 for each in sessions.values()), len(sessions)


def transport(args, programs, number, smpp, redis, rabbit):
    http = free_port()
    command = [args.transport, "--port", smpp, "--worker-concurrency", 100, "--smpp-window", 50, "--cache-class", "redis",
               "--sequencer-class", "redis", "--redis-url", "redis://127.0.0.1:%d" % redis, "--http-bind", "127.0.0.1:%d" % http,
               "--submit-multipart-handling", "multipart_udh", "--amqp-url", "amqp://guest:guest@127.0.0.1:%d/" % rabbit, *ALWAYS]

    def is_bound():
        try:
            return listens(http) and Api(http).ask("/ready") is not None
        except (Refused, *UNKNOWN):
            return False
    return programs.start("transport%d" % number, command, is_bound)


def kill_redis(args, redis, application, phones, progress):
    chance = random.Random(args.seed)
    for done in range(args.restarts):
        share = (done + 1) / (args.restarts + 1)
        application.allow(share)
        phones.allow(share)
        moment = application.count * (share - chance.random() / (args.restarts + 1))
        until("messages to pass", PATIENCE, lambda: application.has("ack") >= moment)
        progress("redis SIGKILL")
        redis.restart(signal.SIGKILL)
    application.allow(1)
    phones.allow(1)


def check(args, messages, received, wire):
    """What is wrong; prints what there is."""
    crossed = sum(message["session"] != receipt["session"] for message in received for receipt in message["receipts"])
    twice, most = wire.twice_at_once()
    over_both, in_parts = wire.messages_in_parts_over_both()
    double = [number for number, times in messages.items() if len(times) > (2 if number % 10 == 0 else 1)]
    print("numbers: %d PDUs read; up to %d requests of ours without an answer at once; %d numbers in use twice at once" % (
        len(wire.pdus), most, len(twice)))
    print("         of each session: %s" % ", ".join("%d..%d" % block for block in wire.blocks().values()))
    print("matched: %d receipts came to the other transport; %d of %d messages in parts from phones came over both" % (
        crossed, over_both, in_parts))
    wrong = ["sequence numbers in use twice at once: %s" % twice[:3]] if twice else []
    wrong += ["sent twice: %s" % double[:5]] if double else []
    wrong += ["no receipt came to the other transport"] if not crossed else []
    wrong += ["no message came in parts over both sessions"] if not over_both else []
    return wrong


def both(args, folder):
    run.install(args)
    begun = time.monotonic()
    with Programs(folder) as programs:
        redis, redis_port = programs.redis()
        _, rabbit = programs.rabbitmq()
        smpp, http, rules = free_port(), free_port(), folder / "rules.yaml"
        rules.write_text(RULES)
        programs.start("smsc", [args.smsc, "--listen", "127.0.0.1:%d" % smpp, "--http", "127.0.0.1:%d" % http, "--rules", rules,
                                "--log-level", "warn"], lambda: listens(smpp) and listens(http))
        wire = Wire(http)
        workers = [transport(args, programs, number, smpp, redis_port, rabbit) for number in (1, 2)]
        application = OverAmqp(rabbit, args.count, text=lambda number: "message %d%s" % (number, "" if number % 10 else LONG))
        phones = Phones(http, args.count // 4, text=lambda number: "phone message %d%s" % (number, LONG))

        def progress(what):
            say(time.monotonic() - begun, what, application, phones)

        kill_redis(args, redis, application, phones, progress)
        progress("nothing any more")
        wrong = wait_for_all(workers[0], application, phones, lambda: range(args.count))
        progress("all is there" if not wrong else "given up")
        wire.end()
        print("out: %d of %d acked, %d reported, %d refused" % (
            application.has("ack"), args.count, application.has("delivered"), application.has("nack")))
        print("in:  %d taken from phones, %d of them whole on the bus" % (
            len(phones.taken), len(phones.taken & set(application.inbound))))
        messages, received = at_the_smsc(http), Api(http).ask("/api/v1/messages?limit=100000")
        wrong += check(args, messages, received, wire)
        print("in %.0f s" % (time.monotonic() - begun))
        application.end()
        phones.is_over = True
        wrong += ["%d messages were refused" % application.has("nack")] if application.has("nack") else []
        for worker in workers if wrong else []:
            print("-- the log of %s ends:\n%s" % (worker.name, worker.tail()))
    return wrong


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transport", required=True, type=pathlib.Path)
    parser.add_argument("--smsc", required=True, type=pathlib.Path)
    parser.add_argument("--count", type=int, default=5_000, metavar="N", help="messages; a quarter as many come in (default: 5000)")
    parser.add_argument("--restarts", type=int, default=5, metavar="N", help="of Redis (default: 5)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="when (default: 1)")
    parser.add_argument("--cache", type=pathlib.Path, metavar="DIR", help="where to install what is needed, and find it again")
    args = parser.parse_args()
    args.transport, args.smsc, args.bus, args.with_ = args.transport.resolve(), args.smsc.resolve(), "amqp", "smsc-sim"
    return args


if __name__ == "__main__":
    sys.exit(run.main("end to end, two transports with Redis", parsed(), both))
