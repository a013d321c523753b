#!/usr/bin/env python3
"""Checks an SMSC with smpplib, an SMPP 3.4 client library that shares no code with it.

One line per check, then `N passed, N failed`; exit status 0 when none failed, else 1.
The same checks, under the same names and numbers, are in node_client.js: two independent
codecs that agree are worth more than one.
"""

import argparse
import contextlib
import logging
import re
import socket
import ssl
import struct
import sys
import time

from api import Api
from smpplib import client, consts, exceptions, gsm, smpp

# Different type and plan on both sides, so that a receipt that does not swap them is seen.
SOURCE = (consts.SMPP_TON_NWSPEC, consts.SMPP_NPI_UNK, "40404")
DESTINATION = (consts.SMPP_TON_INTL, consts.SMPP_NPI_ISDN, "447700900123")

ESM_CLASS_TYPE = 0x3C  # bits 5-2; testing 0x04 alone would take 0x0C and 0x14 for receipts
ESM_CLASS_RECEIPT = 0x04
INTERFACE_VERSION_34 = 0x34
ENQUIRE_LINK = 0x00000015
UNKNOWN_COMMAND_ID = 0x00010200
IN_AN_HOUR = "000000010000000R"  # §7.1.1
ENROUTE, DELIVERED = 1, 2  # §5.2.28, which has no name for what waits for its schedule
SEEN_MAX = 3

CHECKS, HOSTILE_CHECKS = [], []


class Unmet(Exception):
    """What was seen is not what was expected."""


class LeftOut(Exception):
    """The check cannot be made; neither passed nor failed."""


class Esme(client.Client):
    """A client that keeps every PDU it reads, because answers and receipts may come in any order.

    The library still answers enquire_link and deliver_sm by itself: that is what is to be tried.
    """

    def __init__(self, args, **options):
        super().__init__(args.host, args.port, timeout=args.timeout, allow_unknown_opt_params=True, **options)
        self.inbox = []
        self.set_error_pdu_handler(lambda pdu: None)  # the checks look at the status themselves
        self.set_message_received_handler(lambda pdu: None)
        self.set_message_sent_handler(lambda pdu: None)
        self.connect()

    def read_pdu(self):
        pdu = super().read_pdu()
        self.inbox.append(pdu)
        return pdu

    def bind(self, bind_type, system_id, password):
        """Binds and returns the response, of whatever status, matched by its sequence number."""
        # Client.bind_* would take any first PDU for the response and turn a refusal into an exception.
        request = self.make(bind_type, system_id=system_id, password=password)
        self.send_pdu(request)
        return self.response(request.sequence)

    def make(self, command, **fields):
        return smpp.make_pdu(command, client=self, **fields)

    def submit_pdu(self, text=b"hello", registered_delivery=0, **fields):
        fields.setdefault("short_message", text)
        ton, npi, address = SOURCE
        dest_ton, dest_npi, dest_address = DESTINATION
        return self.make(
            "submit_sm", source_addr_ton=ton, source_addr_npi=npi, source_addr=address,
            dest_addr_ton=dest_ton, dest_addr_npi=dest_npi, destination_addr=dest_address,
            registered_delivery=registered_delivery, **fields)

    def submit(self, **fields):
        """Submits one message and returns its message_id."""
        request = self.submit_pdu(**fields)
        self.send_pdu(request)
        return self.accepted(request.sequence)

    def accepted(self, sequence):
        """The message_id of the submit_sm_resp with this sequence number, which must be a success."""
        pdu = self.response(sequence)
        refused_or_not(pdu, "submit_sm_resp", consts.SMPP_ESME_ROK)
        if not pdu.message_id:
            raise Unmet("submit_sm_resp had an empty message_id, expected one")
        return pdu.message_id

    def exchange(self, command, **fields):
        """Sends a request and returns its response, of whatever status."""
        request = self.make(command, **fields)
        self.send_pdu(request)
        return self.response(request.sequence)

    def query(self, message_id):
        ton, npi, address = SOURCE
        # The library writes text here, and reads octets.
        return self.exchange("query_sm", message_id=message_id.decode(), source_addr_ton=ton, source_addr_npi=npi,
                             source_addr=address)

    def raw(self, octets):
        """Writes octets past the library's state table, which would refuse them."""
        self._socket.sendall(octets)

    def raw_octet_by_octet(self, octets):
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in octets:
            self.raw(bytes([octet]))

    def response(self, sequence):
        return self.wait(lambda pdu: pdu.is_response() and pdu.sequence == sequence,
                         "a response with sequence number %d" % sequence)

    def request(self, command, seconds=None):
        return self.wait(lambda pdu: pdu.command == command, command, seconds)

    def wait(self, wanted, name, seconds=None):
        """The first PDU that is wanted, among those kept or still to come."""
        deadline = time.monotonic() + (seconds or self.timeout)
        while True:
            for pdu in self.inbox:
                if wanted(pdu):
                    self.inbox.remove(pdu)
                    return pdu
            try:
                # Zero would make the socket non-blocking; a passed deadline still has to end the wait.
                self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
                self.read_once(auto_send_enquire_link=False)
            except socket.timeout:
                raise Unmet("%s, then silence, expected %s" % (self.seen(), name))
            except exceptions.ConnectionError:
                raise Unmet("%s, then the connection closed, expected %s" % (self.seen(), name))

    def settled(self):
        """The session works, and nothing came that nobody asked for."""
        request = self.make("enquire_link")
        self.send_pdu(request)
        refused_or_not(self.response(request.sequence), "enquire_link_resp", consts.SMPP_ESME_ROK)
        self.inbox = [pdu for pdu in self.inbox if pdu.command != "enquire_link"]
        if self.inbox:
            raise Unmet("%s, expected nothing more" % self.seen())

    def closed_by_peer(self):
        self._socket.settimeout(self.timeout)
        try:
            octets = self._socket.recv(1)
        except socket.timeout:
            raise Unmet("connection still open after %g s, expected it closed" % self.timeout)
        except ConnectionResetError:  # a peer that closes with our octets unread resets
            return
        if octets:
            raise Unmet("octet 0x%s, expected the connection closed" % octets.hex())

    def seen(self):
        """The kept PDUs, the first few by name."""
        names = [describe(pdu) for pdu in self.inbox[:SEEN_MAX]]
        if len(self.inbox) > SEEN_MAX:
            names.append("%d more" % (len(self.inbox) - SEEN_MAX))
        return "saw " + (", ".join(names) or "nothing")

    def finish(self):
        """Leaves no session behind: a receipt of the next check could be routed to it."""
        if self.state != consts.SMPP_CLIENT_STATE_OPEN:
            with contextlib.suppress(Unmet, OSError, exceptions.ConnectionError, exceptions.PDUError):
                request = self.make("unbind")
                self.send_pdu(request)
                self.response(request.sequence)
                self.closed_by_peer()
        self.state = consts.SMPP_CLIENT_STATE_OPEN
        self.disconnect()


def describe(pdu):
    return "%s(status 0x%x, sequence %d)" % (pdu.command, pdu.status, pdu.sequence)


@contextlib.contextmanager
def connection(args, **options):
    esme = Esme(args, **options)
    try:
        yield esme
    finally:
        esme.finish()


@contextlib.contextmanager
def bound(args, bind_type, **options):
    with connection(args, **options) as esme:
        response = esme.bind(bind_type, args.system_id, args.password)
        refused_or_not(response, bind_type + "_resp", consts.SMPP_ESME_ROK)
        yield esme


def equal(what, seen, expected):
    if seen != expected:
        raise Unmet("%s was %r, expected %r" % (what, seen, expected))


def refused_or_not(pdu, command, status):
    if (pdu.command, pdu.status) != (command, status):
        raise Unmet("saw %s, expected %s with status 0x%x" % (describe(pdu), command, status))


def is_receipt_of(pdu, message_id):
    equal("receipt's esm_class & 0x3c", pdu.esm_class & ESM_CLASS_TYPE, ESM_CLASS_RECEIPT)
    text = pdu.short_message or pdu.message_payload or b""
    equal("receipt's text id", field(text, b"id"), message_id)
    equal("receipted_message_id", pdu.receipted_message_id, message_id)
    equal("receipt's stat", field(text, b"stat"), b"DELIVRD")
    source = (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr.decode())
    destination = (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr.decode())
    equal("receipt's source", source, DESTINATION)
    equal("receipt's destination", destination, SOURCE)


def field(text, name):
    found = re.search(rb"(?:^| )" + name + rb":(\S*)", text)
    return found and found.group(1)


def check(function):
    CHECKS.append(function)
    return function


def hostile(function):
    HOSTILE_CHECKS.append(function)
    return function


def bind_as(args, bind_type):
    with connection(args) as esme:
        response = esme.bind(bind_type, args.system_id, args.password)
        refused_or_not(response, bind_type + "_resp", consts.SMPP_ESME_ROK)
        equal("sc_interface_version", response.sc_interface_version, INTERFACE_VERSION_34)


@check
def bind_transmitter(args):
    bind_as(args, "bind_transmitter")


@check
def bind_receiver(args):
    bind_as(args, "bind_receiver")


@check
def bind_transceiver(args):
    bind_as(args, "bind_transceiver")


@check
def wrong_password_refused(args):
    with connection(args) as esme:
        response = esme.bind("bind_transceiver", args.system_id, "wrong")
        refused_or_not(response, "bind_transceiver_resp", consts.SMPP_ESME_RINVPASWD)


@check
def unknown_system_id_refused(args):
    with connection(args) as esme:
        response = esme.bind("bind_transceiver", "nobody", args.password)
        refused_or_not(response, "bind_transceiver_resp", consts.SMPP_ESME_RINVSYSID)


@check
def second_bind_refused(args):
    with bound(args, "bind_transceiver") as esme:
        second = esme.make("bind_transceiver", system_id=args.system_id, password=args.password)
        esme.raw(second.generate())
        response = esme.response(second.sequence)
        refused_or_not(response, "bind_transceiver_resp", consts.SMPP_ESME_RALYBND)


@check
def submit_before_bind_refused(args):
    with connection(args) as esme:
        request = esme.submit_pdu()
        esme.raw(request.generate())
        refused_or_not(esme.response(request.sequence), "submit_sm_resp", consts.SMPP_ESME_RINVBNDSTS)


@check
def submit_on_receiver_refused(args):
    with bound(args, "bind_receiver") as esme:
        request = esme.submit_pdu()
        esme.raw(request.generate())
        refused_or_not(esme.response(request.sequence), "submit_sm_resp", consts.SMPP_ESME_RINVBNDSTS)
        esme.settled()


@check
def receipt_matches_submit(args):
    with bound(args, "bind_transceiver") as esme:
        message_id = esme.submit(registered_delivery=1)
        is_receipt_of(esme.request("deliver_sm"), message_id)
        esme.settled()  # our deliver_sm_resp was not answered with a generic_nack


@check
def no_receipt_unless_asked(args):
    with bound(args, "bind_transceiver") as esme:
        esme.submit(text=b"without", registered_delivery=0)
        message_id = esme.submit(text=b"with", registered_delivery=1)
        # The later message's receipt is the clock: by then one for the earlier had its chance.
        is_receipt_of(esme.request("deliver_sm"), message_id)
        esme.settled()


@check
def receipt_on_receiver_of_account(args):
    with bound(args, "bind_receiver") as receiver, bound(args, "bind_transmitter") as transmitter:
        message_id = transmitter.submit(registered_delivery=1)
        is_receipt_of(receiver.request("deliver_sm"), message_id)
        receiver.settled()
        transmitter.settled()


@check
def client_enquire_link(args):
    with bound(args, "bind_transceiver") as esme:
        esme.settled()


@check
def server_enquire_link(args):
    if args.enquire_link_interval is None:
        raise LeftOut("needs --enquire-link-interval")
    with bound(args, "bind_transceiver") as esme:
        # The second one shows that the answer to the first was taken.
        for _ in range(2):
            esme.request("enquire_link", args.enquire_link_interval + 3)
        esme.submit()


@check
def unbind_then_close(args):
    with bound(args, "bind_transceiver") as esme:
        request = esme.make("unbind")
        esme.send_pdu(request)
        refused_or_not(esme.response(request.sequence), "unbind_resp", consts.SMPP_ESME_ROK)
        esme.closed_by_peer()


@check
def unknown_command_id_nacked(args):
    with bound(args, "bind_transceiver") as esme:
        sequence = esme.next_sequence()
        esme.raw(struct.pack(">LLLL", 16, UNKNOWN_COMMAND_ID, 0, sequence))
        refused_or_not(esme.response(sequence), "generic_nack", consts.SMPP_ESME_RINVCMDID)
        esme.submit()


@check
def ten_submits_in_one_segment(args):
    with bound(args, "bind_transceiver") as esme:
        requests = [esme.submit_pdu(text=b"%d of ten" % n) for n in range(10)]
        esme.raw(b"".join(request.generate() for request in requests))
        all_accepted(esme, requests)


@check
def submit_octet_by_octet(args):
    with bound(args, "bind_transceiver") as esme:
        request = esme.submit_pdu()
        esme.raw_octet_by_octet(request.generate())
        esme.accepted(request.sequence)


@check
def two_hundred_concurrent_submits(args):
    with bound(args, "bind_transceiver") as esme:
        requests = [esme.submit_pdu(text=b"%d of 200" % n) for n in range(200)]
        for request in requests:
            esme.send_pdu(request)
        all_accepted(esme, requests)


@check
def long_text_in_udh_parts(args):
    parts, coding, esm_class = gsm.make_parts("The quick brown fox, part after part. " * 10)
    equal("number of parts > 1", len(parts) > 1, True)
    with bound(args, "bind_transceiver") as esme:
        requests = [esme.submit_pdu(text=part, data_coding=coding, esm_class=esm_class) for part in parts]
        for request in requests:
            esme.send_pdu(request)
        all_accepted(esme, requests)


@check
def ucs2_text(args):
    parts, coding, esm_class = gsm.make_parts("Žluťoučký kůň 你好 😀", consts.SMPP_ENCODING_ISO10646)
    with bound(args, "bind_transceiver") as esme:
        esme.submit(text=parts[0], data_coding=coding, esm_class=esm_class)


@check
def message_payload_of_4000_octets(args):
    with bound(args, "bind_transceiver") as esme:
        esme.submit(text=None, message_payload=b"0123456789" * 400)


@check
def query_sm_tells_the_state(args):
    with bound(args, "bind_transceiver") as esme:
        delivered = esme.submit(registered_delivery=1)
        esme.request("deliver_sm")
        response = esme.query(delivered)
        refused_or_not(response, "query_sm_resp", consts.SMPP_ESME_ROK)
        equal("message_id", response.message_id, delivered)
        equal("message_state", response.message_state, DELIVERED)
        equal("octets of final_date", len(response.final_date), 16)
        waiting = esme.query(esme.submit(schedule_delivery_time=IN_AN_HOUR))
        refused_or_not(waiting, "query_sm_resp", consts.SMPP_ESME_ROK)
        equal("message_state of one to be sent later", waiting.message_state, ENROUTE)
        esme.settled()


@check
def query_sm_of_unknown_refused(args):
    with bound(args, "bind_transceiver") as esme:
        refused_or_not(esme.query(b"f" * 16), "query_sm_resp", consts.SMPP_ESME_RINVMSGID)
        esme.settled()


@check
def cancel_sm_ends_a_message(args):
    raise LeftOut("smpplib has no cancel_sm")


@check
def replace_sm_changes_the_text(args):
    raise LeftOut("smpplib has no replace_sm")


@check
def submit_multi_reaches_all(args):
    raise LeftOut("smpplib has no submit_multi")


@check
def data_sm_and_its_receipt(args):
    with bound(args, "bind_transceiver") as esme:
        ton, npi, address = SOURCE
        dest_ton, dest_npi, dest_address = DESTINATION
        response = esme.exchange(
            "data_sm", source_addr_ton=ton, source_addr_npi=npi, source_addr=address, dest_addr_ton=dest_ton,
            dest_addr_npi=dest_npi, destination_addr=dest_address, esm_class=0, data_coding=0,
            registered_delivery=1, message_payload=b"by data_sm")
        refused_or_not(response, "data_sm_resp", consts.SMPP_ESME_ROK)
        is_receipt_of(esme.request("deliver_sm"), response.message_id)
        esme.settled()


@check
def mobile_originated_message(args):
    with bound(args, "bind_transceiver") as esme:
        [delivery] = api(args).post("deliver", {"from": DESTINATION[2], "to": SOURCE[2], "text": "from a phone"})
        pdu = esme.request("deliver_sm")
        equal("short_message", pdu.short_message, b"from a phone")
        equal("addresses", (pdu.source_addr, pdu.destination_addr), (DESTINATION[2].encode(), SOURCE[2].encode()))
        esme.settled()
        answered = api(args).get("deliveries/%d" % delivery["id"], wait="10s")
        equal("state of the delivery", answered["state"], "accepted")


@check
def alert_notification(args):
    with bound(args, "bind_transceiver") as esme:
        api(args).post("alert", {"from": DESTINATION[2], "status": 0})
        pdu = esme.request("alert_notification")
        equal("source_addr", pdu.source_addr, DESTINATION[2].encode())
        equal("ms_availability_status", pdu.ms_availability_status, 0)
        esme.settled()


@check
def everything_over_tls(args):
    if args.tls_port is None:
        raise LeftOut("needs --tls-port")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is made at the start
    over_tls = argparse.Namespace(**{**vars(args), "port": args.tls_port})
    with bound(over_tls, "bind_transceiver", ssl_context=context) as esme:
        message_id = esme.submit(registered_delivery=1)
        is_receipt_of(esme.request("deliver_sm"), message_id)
        esme.submit(text=None, message_payload=b"0123456789" * 400)
        esme.settled()


@hostile
def command_length_5(args):
    with bound(args, "bind_transceiver") as esme:
        esme.raw(struct.pack(">LLLL", 5, ENQUIRE_LINK, 0, esme.next_sequence()))
        # The sequence number is free: the header it came with cannot be trusted.
        nack = esme.request("generic_nack")
        refused_or_not(nack, "generic_nack", consts.SMPP_ESME_RINVCMDLEN)
        esme.closed_by_peer()


def api(args):
    if args.http is None:
        raise LeftOut("needs --http")
    return Api(args.http)


def all_accepted(esme, requests):
    """One success each, by sequence number, no id given twice, and no response too many."""
    ids = {esme.accepted(request.sequence) for request in requests}
    equal("number of different message_ids", len(ids), len(requests))
    esme.settled()


def run(function, args):
    """Prints one line; true when the check passed, false when it failed, None when it was left out."""
    number = (CHECKS + HOSTILE_CHECKS).index(function) + 1
    name = "%02d %s" % (number, function.__name__)
    try:
        function(args)
    except LeftOut as reason:
        print("left out %s: %s" % (name, reason), flush=True)
        return None
    except Unmet as unmet:
        print("FAIL %s: %s" % (name, unmet), flush=True)
        return False
    except Exception as error:  # whatever the library raises on what it was sent
        print("FAIL %s: saw %r, expected no exception" % (name, error), flush=True)
        return False
    print("ok %s" % name, flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2775)
    parser.add_argument("--http", metavar="ADDR", help="the simulator's HTTP API; without it some checks are left out")
    parser.add_argument("--tls-port", type=int, help="without it the check of TLS is left out")
    parser.add_argument("--system-id", default="smppclient1")
    parser.add_argument("--password", default="password")
    parser.add_argument("--enquire-link-interval", type=float, metavar="SECONDS",
                        help="how often the SMSC sends enquire_link; without it that check is left out")
    parser.add_argument("--timeout", type=float, default=10, metavar="SECONDS", help="longest wait for anything else")
    parser.add_argument("--hostile", action="store_true", help="only the checks that send malformed PDUs")
    args = parser.parse_args()

    logging.disable(logging.CRITICAL)  # the library warns about every refusal that was asked for
    results = [run(function, args) for function in (HOSTILE_CHECKS if args.hostile else CHECKS)]
    print("%d passed, %d failed" % (results.count(True), results.count(False)))
    return 1 if False in results else 0


if __name__ == "__main__":
    sys.exit(main())
