#!/usr/bin/env python3
"""Runs the transport for a time against an SMSC that does everything that real ones do, and counts.

    soak.py [options] --transport smpp-transport --smsc smsc-sim

Messages pass over RabbitMQ, ids and receipts are kept in Redis. The destination of a message chooses what the SMSC does with it:
see CLASSES. Beside that it unbinds now and then, stops reading or writing for a time, and throttles. In the end each message has
the events of its class, and no others; no message was submitted more often than its policy allows; and the transport's memory is
where it was after the first third. Exit status 0 if so.

Needs what run.py needs, and redis-server.
"""

import argparse
import collections
import pathlib
import sys
import threading
import time

import run
from application import OverAmqp
from parts import Programs, free_port, listens, until
from two import Wire

TRIES = 5  # submits of a part at most, whatever happens: the default of resend.tries
THROTTLED = 30  # further submits of a part that the SMSC has refused for a time
GROWTH = 1.15  # of the memory between the second third of the run and its end
PATIENCE = 150  # seconds, for all that is outstanding in the end
LONG = " and its text is so long that it is sent in more parts than one, which is what it is here for" * 2

DELIVERED, FAILED = ("delivered",), ("failed",)
NOTHING = ()


class Class:
    """A kind of message: the rule of its destinations, as the right side of `then`; and the reports that it must have."""

    def __init__(self, name, then, reports=DELIVERED, is_long=False, when="", is_acked=True):
        self.name, self.then, self.reports, self.is_long, self.when, self.is_acked = name, then, reports, is_long, when, is_acked


def receipt(policy, **more):
    return "{ policy: { receipt: { %s } } }" % policy


CLASSES = [
    Class("delivered", "{}"),
    Class("undeliverable", "{ policy: { outcome: UNDELIVERABLE, error: 9 } }", FAILED),
    Class("rejected", "{ policy: { outcome: REJECTED } }", FAILED),
    Class("labels in lower case", receipt("text: lower_case")),
    Class("commas, Unix time", receipt("text: commas, dates: unix")),
    Class("labels of one word, long years", receipt("text: one_word_labels, dates: long_year, form: text")),
    Class("undefined message_state", receipt("tlv_state: 13")),
    Class("undefined message_state of a failure", "{ policy: { outcome: UNDELIVERABLE, receipt: { tlv_state: 0 } } }", FAILED),
    Class("receipt in parts by header", receipt("split: { octets: 60 }, form: text")),
    Class("receipt in parts by SAR", receipt("split: { octets: 60, by: sar }, form: text")),
    Class("ASCII under data_coding 8", receipt("data_coding: 8, encoding: ascii, form: text")),
    Class("UCS-2 under data_coding 0", receipt("data_coding: 0, encoding: ucs2, form: text")),
    Class("parameters alone", receipt("form: tlvs")),
    Class("last parameter overruns", receipt("tlv_fault: overrun")),
    Class("delivered twice", receipt("times: 2")),
    Class("on the way after the end", receipt("then: [ENROUTE], form: text")),
    Class("failed after the end", receipt("then: [UNDELIVERABLE]")),
    Class("accepted, then delivered", receipt("state: ACCEPTED, then: [DELIVERED]"), ("pending", "delivered")),
    Class("receipt before the response", receipt("before_response: true, form: text")),
    Class("err as text", receipt('err: "0x21", form: text')),
    Class("response with an id of 65 octets", "{ policy: { response: { shape: long_id } } }", None),
    Class("response with an octet more", "{ policy: { response: { shape: stray_octet } } }", None),
    Class("response without NUL", "{ policy: { response: { shape: no_nul } } }", None),
    Class("response without a body", "{ answer: bare }", None),
    Class("parts with one id, one receipt", "{ policy: { part_ids: shared, receipt: { parts: one } } }", is_long=True),
    Class("parts with one id, a receipt each", "{ policy: { part_ids: shared } }", is_long=True),
    Class("the first part alone has an id", "{ policy: { part_ids: first } }", is_long=True),
    Class("a receipt for the first part alone", receipt("parts: first"), is_long=True),
    Class("a receipt for the last part alone", receipt("parts: last"), is_long=True),
    Class("a receipt for each part", "{}", is_long=True),
    Class("first submit never answered", "{ answer: never }", when=", first: 1, per: destination"),
    Class("queue full twice", "{ status: ESME_RMSGQFUL }", when=", first: 2, per: destination"),
    Class("refused for good", "{ status: ESME_RINVDSTADR }", NOTHING, is_acked=False),
]

EVENTS = """
- { when: { clock: { every: 61s } }, then: { before: [unbind] } }
- { when: { clock: { every: 47s } }, then: { before: [{ stall: { reads: 2s } }] } }
- { when: { clock: { every: 53s } }, then: { before: [{ stall: { writes: 2s } }] } }
- { when: { operation: submit_sm, above_rate: 60 }, then: { status: ESME_RTHROTTLED } }
"""


def of(number):
    return CLASSES[number % len(CLASSES)]


def is_poison(number):
    """Whether the SMSC closes the connection at this message, each time that it comes."""
    return number // len(CLASSES) % 100 == 7 and number % len(CLASSES) == 0


def address(number):
    return "2782%06d%02d" % (number // len(CLASSES), number % len(CLASSES))


def rules():
    poison = '- { when: { operation: submit_sm, to: "0700$" }, then: { before: [{ disconnect: close }] } }\n'
    each = ['- { when: { operation: submit_sm, to: "%02d$"%s }, then: %s }\n' % (at, kind.when, kind.then)
            for at, kind in enumerate(CLASSES) if kind.then != "{}"]
    return poison + EVENTS.lstrip() + "".join(each)


class Application(OverAmqp):
    """Sends `rate` messages a second, each to a destination of its own; keeps the order of events."""

    def __init__(self, port, count):
        self.order = collections.defaultdict(list)
        super().__init__(port, count, text=lambda number: "message %d%s" % (number, LONG if of(number).is_long else ""))

    def body(self, number):
        return {**super().body(number), "to_addr": address(number)}

    def take_event(self, event):
        super().take_event(event)
        kind = event["event_type"] if event["event_type"] != "delivery_report" else event["delivery_status"]
        self.order[event["user_message_id"]].append(kind)


class Submits(Wire):
    """Counts submits of each text to each destination, and their refusals for a time, without keeping the PDUs."""

    def __init__(self, port):
        self.submits, self.refused, self.outstanding, self.read_to = collections.Counter(), collections.Counter(), {}, 0
        super().__init__(port)

    def read(self):
        from parts import UNKNOWN, Api, Refused
        api = Api(self.port)
        while not self.is_over:
            try:
                page = api.ask("/api/v1/pdus?after=%d&limit=10000&wait=200ms" % self.read_to)
            except (Refused, *UNKNOWN):
                continue
            for pdu in page:
                self.count(pdu)
            self.read_to = page[-1]["number"] if page else self.read_to

    def count(self, pdu):
        key = pdu["session"], pdu["sequence_number"]
        if pdu["command"] == "submit_sm":
            fields = pdu["fields"]
            what = fields["destination_addr"], fields.get("short_message_hex", "")[:12] if fields["esm_class"] & 0x40 else ""
            self.submits[what] += 1
            self.outstanding[key] = what
        elif pdu["command"] == "submit_sm_resp" and (what := self.outstanding.pop(key, None)):
            if pdu["command_status"] in ("ESME_RTHROTTLED", "ESME_RMSGQFUL", 0x58, 0x14):
                self.refused[what] += 1


def wrong_events(application, count):
    """What is wrong with the events of each message, in words."""
    for number in range(count):
        kind, events = of(number), application.order.get("m%d" % number, [])
        settled = [event for event in events if event in ("ack", "nack")]
        reports = [event for event in events if event not in ("ack", "nack")]
        expected = "nack" if is_poison(number) or not kind.is_acked else "ack"
        if not settled:
            yield "message %d (%s) is lost: neither ack nor nack" % (number, kind.name)
        elif set(settled) != {expected}:
            yield "message %d (%s): %s, expected %s" % (number, kind.name, settled, expected)
        if is_poison(number):
            continue
        if kind.reports is None:
            if any(report != "delivered" for report in reports):
                yield "message %d (%s): reports %s" % (number, kind.name, reports)
            continue
        final = [report for report in reports if report != "pending"]
        if kind.reports == NOTHING and reports or kind.reports and set(final) != set(kind.reports) - {"pending"}:
            yield "message %d (%s): reports %s, expected %s" % (number, kind.name, reports, list(kind.reports))
        elif "pending" in reports[len(reports) - len(final):] and final:
            yield "message %d (%s): pending after its end: %s" % (number, kind.name, reports)


def sample(worker, samples, is_over):
    while not is_over.wait(5):
        samples.append(worker.rss_mebioctets())


def soak(args, folder):
    args.bus, args.with_ = "amqp", "smsc-sim"
    run.install(args)
    count = args.rate * args.seconds
    with Programs(folder) as programs:
        _, redis = programs.redis()
        _, rabbit = programs.rabbitmq()
        smpp, http, own, file = free_port(), free_port(), free_port(), folder / "rules.yaml"
        file.write_text(rules())
        programs.start("smsc", [args.smsc, "--listen", "127.0.0.1:%d" % smpp, "--http", "127.0.0.1:%d" % http, "--rules", file,
                                "--log-level", "warn"], lambda: listens(smpp) and listens(http))
        worker = programs.start("transport", [
            args.transport, "--port", smpp, "--http-bind", "127.0.0.1:%d" % own, "--worker-concurrency", 200, "--smpp-window", 50,
            "--cache-class", "redis", "--sequencer-class", "redis", "--redis-url", "redis://127.0.0.1:%d" % redis,
            "--amqp-url", "amqp://guest:guest@127.0.0.1:%d/" % rabbit, "--submit-multipart-handling", "multipart_udh",
            "--smpp-response-timeout", "5s", "--receipts-aggregate-timeout", "30s", "--reconnect-initial", "200ms",
            "--reconnect-max", "2s", "--submit-registered-delivery-delivery-receipt", "SMSC_DELIVERY_RECEIPT_REQUESTED",
        ], lambda: listens(own))
        wire, application, samples, is_over = Submits(http), Application(rabbit, count), [], threading.Event()
        threading.Thread(target=sample, args=(worker, samples, is_over), daemon=True).start()
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < args.seconds:
            application.numbers.allowed = args.rate * passed
            if int(passed) % 30 == 0:
                print("%5.0f s: %d sent, %d acks, %d nacks, %d delivered, %.0f MiB" % (
                    passed, application.sent, application.has("ack"), application.has("nack"), application.has("delivered"),
                    worker.rss_mebioctets()), flush=True)
                time.sleep(1)
            time.sleep(0.05)
        application.allow(1)
        wrong, patience = [], time.monotonic() + args.patience
        while (wrong := list(wrong_events(application, count))) and time.monotonic() < patience:
            worker.is_up()
            time.sleep(2)
        is_over.set()
        wire.end()
        application.end()
        many = {what: times for what, times in wire.submits.items() if times - wire.refused[what] > TRIES
                or wire.refused[what] > THROTTLED}
        wrong += ["submitted %d times, %d of them refused for a time: %s" % (times, wire.refused[what], what)
                  for what, times in many.items()]
        third = len(samples) // 3
        before, after = max(samples[third:2 * third], default=0), max(samples[2 * third:], default=0)
        wrong += ["memory grew from %.0f to %.0f MiB" % (before, after)] if before and after > before * GROWTH else []
        print("%d messages of %d classes in %d s: %d acked, %d refused, %d reported delivered, %d failed; lost %d, wrong %d" % (
            count, len(CLASSES), args.seconds, application.has("ack"), application.has("nack"), application.has("delivered"),
            application.has("failed"), sum("is lost" in each for each in wrong), len(wrong)))
        print("submits: %d parts, %d submits, at most %d of one; memory %.0f MiB in the middle third, %.0f in the last" % (
            len(wire.submits), sum(wire.submits.values()), max(wire.submits.values(), default=0), before, after))
        if wrong:
            print("-- the transport's log ends:\n%s" % worker.tail())
    return wrong[:40]


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transport", required=True, type=pathlib.Path)
    parser.add_argument("--smsc", required=True, type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=1800, metavar="N", help="how long messages are sent (default: 1800)")
    parser.add_argument("--rate", type=int, default=25, metavar="N", help="messages a second (default: 25)")
    parser.add_argument("--patience", type=int, default=PATIENCE, metavar="N", help="seconds for the rest (default: 150)")
    parser.add_argument("--cache", type=pathlib.Path, metavar="DIR", help="where to install what is needed, and find it again")
    args = parser.parse_args()
    args.transport, args.smsc = args.transport.resolve(), args.smsc.resolve()
    return args


if __name__ == "__main__":
    args = parsed()
    sys.exit(run.main("soak", args, soak))
