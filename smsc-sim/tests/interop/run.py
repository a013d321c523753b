#!/usr/bin/env python3
"""Starts an SMSC simulator, points two third-party SMPP clients at it, and has a third judge the wire.

    run.py [options] -- smsc-sim [its flags]

smpplib_client.py and node_client.js run one after the other (a receipt goes to any receiver of the
account, so they would take each other's). With --capture, tshark records that traffic and must find
nothing wrong in it. Then both run once more with --hostile, out of the capture's sight, because those
checks send malformed PDUs on purpose. At the end tshark reads what the simulator itself captured (that
holds all of it, TLS in the clear too), and must find nothing wrong in what the simulator said. With
--examples, the examples for pytest and Node's test runner run too. Exit status 0 when nothing failed,
else 1.

Needs python3 with venv, node with npm, and for --capture tshark and the right to capture on loopback.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import harness
from harness import READY_SECONDS, STOP_SECONDS, Failed, Lines, Simulator, tail

EXAMPLES = HERE.parent.parent / "examples"
EXPERT_ERROR = 0x00800000  # Wireshark's PI_ERROR; PI_WARN is below it
# Neither the clients nor tshark mind a fixed-size TLV of another size: SMPP 3.4 section 5.3.2.
TLV_OCTETS = {0x0210: 1, 0x0423: 3, 0x0427: 1}  # sc_interface_version, network_error_code, message_state
CLIENT_SECONDS = 600  # the clients bound every wait of their own; this is for one that hangs


class Capture:
    """tshark on the simulator's port, known to be recording once the constructor returns."""

    def __init__(self, simulator, file, log):
        self.peer, self.file, self.log = (simulator.host, simulator.port), file, log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                ["tshark", "-i", "lo", "-f", "tcp port %d" % simulator.port, "-w", str(file),
                 "-B", "64", "-P", "-l", "-n", "-T", "fields", "-e", "tcp.srcport"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True)
        self.lines = Lines(self.process.stdout)
        # What tshark says when it starts differs by version; that it shows a packet of ours does not.
        deadline = time.monotonic() + READY_SECONDS
        while not self.marked(seconds=0.5):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise Failed("tshark does not record; standard error:\n%s" % tail(log))

    def marked(self, seconds):
        """Opens and closes a connection; true when tshark has written it, and so all that came before."""
        with socket.create_connection(self.peer) as mark:
            port = mark.getsockname()[1]
        return self.lines.find(r"^%d$" % port, seconds) is not None

    def stop(self):
        """None, or what went wrong."""
        marked = self.marked(READY_SECONDS)
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "tshark was still there %d s after SIGINT" % STOP_SECONDS
        dropped = re.search(r"[1-9]\d* packets? dropped.*", self.log.read_text())
        if dropped:
            return "incomplete capture: " + dropped.group()
        return None if marked else "incomplete capture: the closing mark is missing"


def judge(file, ports, title="tshark", judges_clients=True):
    """Prints how many SMPP PDUs tshark finds in the capture; returns what is wrong with them."""
    names = ["frame.number", "tcp.srcport", "tcp.len", "tcp.analysis.retransmission", "smpp.command_length",
             "smpp.opt_param_tag", "smpp.opt_param_len", "_ws.malformed", "_ws.expert.severity", "_ws.expert.message"]
    output = subprocess.run(
        ["tshark", "-r", str(file), "-n", *(x for port in ports for x in ("-d", "tcp.port==%d,smpp" % port)),
         "-T", "fields", "-E", "separator=/t", "-E", "aggregator=,", *(x for n in names for x in ("-e", n))],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout

    def error(words):
        wrong.append("%s on frame %s: %s" % (title, number, words))

    wrong, pdus, octets_seen, octets_sent = [], 0, 0, 0
    for line in output.splitlines():
        (number, source, tcp_len, retransmission, lengths,
         tags, tag_lengths, malformed, severities, messages) = line.split("\t")
        lengths = numbers(lengths)
        pdus += len(lengths)
        # Only the simulator's side: tshark takes neither the unknown command_id for SMPP nor a PDU whose
        # first segment is shorter than a header, and both are what the clients send on purpose.
        if int(source) in ports and not retransmission:
            octets_seen += sum(lengths)
            octets_sent += int(tcp_len)
        elif not judges_clients:
            continue
        severe = any(severity >= EXPERT_ERROR for severity in numbers(severities))
        if malformed or (lengths and severe):
            error(messages or "malformed")
        for tag, length in zip(numbers(tags), numbers(tag_lengths)):
            if length != TLV_OCTETS.get(tag, length):
                error("TLV 0x%04x has %d octets, expected %d" % (tag, length, TLV_OCTETS[tag]))
    print("%s: %d SMPP PDUs, %d faults" % (title, pdus, len(wrong)))
    if octets_seen != octets_sent:  # what tshark does not take for SMPP it does not call malformed either
        wrong.append("%s took %d of the simulator's %d octets for SMPP PDUs" % (title, octets_seen, octets_sent))
    return wrong if pdus else [*wrong, "%s saw no SMPP PDU" % title]


def numbers(values):
    """The numbers in one of tshark's columns, decimal or 0x."""
    return [int(value, 0) for value in values.split(",") if value]


def install(cache):
    """The two clients' command lines' beginnings, and those of the examples; fetches what the cache lacks."""
    python = harness.venv(cache / "venv", HERE / "requirements.txt") / "python"
    os.environ["NODE_PATH"] = str(harness.node_modules(cache / "node", HERE))
    return {"smpplib": [python, HERE / "smpplib_client.py"], "node-smpp": ["node", HERE / "node_client.js"]}, {
        "pytest": [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLES / "pytest_example.py"],
        "node --test": ["node", "--test", "--test-timeout=30000", EXAMPLES / "node_example.test.js"]}


def clients(commands, simulator, args, hostile=False):
    """Runs both clients; returns what went wrong."""
    flags = ["--host", simulator.host, "--port", str(simulator.port),
             "--http", simulator.http, "--tls-port", str(simulator.tls_port),
             "--system-id", args.system_id, "--password", args.password, "--timeout", str(args.timeout)]
    if args.enquire_link_interval is not None:
        flags += ["--enquire-link-interval", str(args.enquire_link_interval)]
    if hostile:
        flags.append("--hostile")
    title = "%s --hostile" if hostile else "%s"
    return ran({title % name: [*command, *flags] for name, command in commands.items()})


def ran(commands, **environment):
    """Runs these one after the other; returns what went wrong."""
    wrong = []
    for title, command in commands.items():
        print("== " + title, flush=True)
        try:
            status = subprocess.run(command, timeout=CLIENT_SECONDS, env={**os.environ, **environment}).returncode
        except subprocess.TimeoutExpired:
            status = "none after %d s" % CLIENT_SECONDS
        if status:
            wrong.append("%s: exit status %s" % (title, status))
    return wrong


def run(args, folder):
    """Returns what went wrong, as lines."""
    commands, examples = install(args.cache)
    own_capture = folder / "own.pcap"
    simulator = Simulator(args.command, folder / "simulator.log", "--capture", own_capture, tls=True)
    try:
        capture = Capture(simulator, args.capture, folder / "tshark.log") if args.capture else None
        try:
            wrong = clients(commands, simulator, args)
        finally:
            unrecorded = capture.stop() if capture else None
        wrong += clients(commands, simulator, args, hostile=True)
        if args.examples:
            addresses = {"SMSC_SMPP": "%s:%d" % (simulator.host, simulator.port), "SMSC_HTTP": simulator.http}
            wrong += ran(examples, **addresses)
    finally:
        unstopped = simulator.stop()
    wrong += [*([unrecorded] if unrecorded else []), *unstopped]
    if capture:
        wrong += judge(args.capture, [simulator.port])
        wrong += judge(own_capture, [simulator.port, simulator.tls_port], "tshark on --capture", judges_clients=False)
    if wrong:
        print("-- the simulator's standard error ends:\n%s" % tail(simulator.log))
    return wrong


def parsed():
    parser = harness.parser(__doc__)
    parser.add_argument("--capture", type=pathlib.Path, metavar="FILE",
                        help="record the traffic in this file and have tshark judge it")
    parser.add_argument("--examples", action="store_true", help="run the examples too")
    parser.add_argument("--enquire-link-interval", type=float, metavar="SECONDS",
                        help="how often COMMAND is set to send enquire_link; without it that check is left out")
    parser.add_argument("--system-id", default="smppclient1")
    parser.add_argument("--password", default="password")
    parser.add_argument("--timeout", type=float, default=10, metavar="SECONDS",
                        help="the longest wait for any one PDU (default: 10)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(harness.main("interop", parsed(), run))
