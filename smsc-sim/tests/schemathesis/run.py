#!/usr/bin/env python3
"""Starts an SMSC simulator and has Schemathesis try its HTTP API against what the API says of itself.

    run.py [options] -- smsc-sim [its flags]

Whatever is sent, no answer may be a 5xx, and status, type and body must be as /api/v1/openapi.json has them. A small
ESME binds and submits meanwhile, and comes back whenever it is cut off, so that there are sessions and messages to be
asked about. The stream of PDUs is left out: it has no end. Exit status 0 when nothing was found, else 1.

Needs python3 with venv, and PyPI or a cache that has been filled before.
"""

import argparse
import contextlib
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
READY_SECONDS = 30
STOP_SECONDS = 30
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance," \
    "response_headers_conformance,unsupported_method,allow_header_conformance"
BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, RESPONSE = 0x09, 0x04, 0x05, 0x80000000


class Failed(Exception):
    """The run cannot go on."""


class Esme(threading.Thread):
    """Binds, submits now and then, answers what it is asked, and begins again when it is cut off."""

    def __init__(self, host, port):
        super().__init__(daemon=True)
        self.address = (host, port)
        self.start()

    def run(self):
        while True:
            with contextlib.suppress(OSError, struct.error):
                self.live()
            time.sleep(0.05)

    def live(self):
        with socket.create_connection(self.address, timeout=5) as line:
            line.settimeout(0.5)
            line.sendall(pdu(BIND_TRANSCEIVER, 1, b"smppclient1\0password\0\0\x34\0\0\0"))
            sequence, octets = 1, b""
            while True:
                sequence += 1
                body = b"\0\x01\x011001\0\x01\x0127820000001\0\0\0\0\0\0\x01\0\0\0\x05Hello"
                line.sendall(pdu(SUBMIT_SM, sequence, body))
                with contextlib.suppress(TimeoutError):
                    received = line.recv(65536)
                    if not received:
                        return
                    octets = self.answered(line, octets + received)
                time.sleep(0.05)

    @staticmethod
    def answered(line, octets):
        """Answers whole requests; returns what is left."""
        while len(octets) >= 16:
            length, command, _, sequence = struct.unpack(">IIII", octets[:16])
            if not 16 <= length <= 65536:
                raise OSError("no PDU")
            if len(octets) < length:
                break
            if not command & RESPONSE and command in (DELIVER_SM, 0x103, 0x15, 0x06):
                line.sendall(pdu(command | RESPONSE, sequence, b"\0" if command in (DELIVER_SM, 0x103) else b""))
            octets = octets[length:]
        return octets


def pdu(command, sequence, body):
    return struct.pack(">IIII", 16 + len(body), command, 0, sequence) + body


def install(cache):
    """The schemathesis to run, installed if these pins are not there yet."""
    venv, pins = cache / "schemathesis", (HERE / "requirements.txt").read_text()
    stamp = venv / "pins"
    if not stamp.exists() or stamp.read_text() != pins:
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
            subprocess.run([venv / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check",
                            "-r", HERE / "requirements.txt"], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Failed("installing schemathesis: %s" % error) from error
        stamp.write_text(pins)
    return venv / "bin" / "schemathesis"


def ready(process, log):
    """Addresses of SMPP and HTTP, from the line that says so."""
    timer = threading.Timer(READY_SECONDS, process.kill)
    timer.start()
    for line in process.stdout:
        if match := re.search(r"^ready smpp=([^\s:]+):(\d+)\S* http=(\S+)", line):
            timer.cancel()
            return match.group(1), int(match.group(2)), match.group(3)
    raise Failed("no ready line; standard error:\n%s" % log.read_text(errors="replace"))


def run(args, folder):
    """Returns what went wrong, as lines."""
    schemathesis = install(args.cache or folder)
    log = folder / "simulator.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen([*args.command, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--seed", "1"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        host, port, http = ready(process, log)
        Esme(host, port)
        environment = dict(os.environ, SCHEMATHESIS_HOOKS="hooks", PYTHONPATH=str(HERE), PYTHONDONTWRITEBYTECODE="1",
                           SMSC_SIM_HTTP="http://" + http)
        status = subprocess.run(
            [schemathesis, "run", "http://%s/api/v1/openapi.json" % http, "--exclude-path", "/api/v1/pdus/stream",
             "--checks", CHECKS, "--seed", str(args.seed), "--max-examples", str(args.examples),
             "--request-timeout", "20", "--generation-database", "none", "--warnings", "off", "--no-color"],
            env=environment, cwd=folder).returncode
        wrong = ["schemathesis: exit status %d" % status] if status else []
        if process.poll() is not None:
            wrong.append("the simulator ended by itself with status %d" % process.returncode)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failed("the simulator was still there %d s after SIGTERM" % STOP_SECONDS)
    text = log.read_text(errors="replace")
    if "panicked" in text:
        wrong.append("the simulator panicked:\n" + text[text.index("panicked") - 200:][:2000])
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="+", metavar="COMMAND",
                        help="the simulator and its flags; --listen, --http and --seed are added")
    parser.add_argument("--cache", type=pathlib.Path, metavar="DIR",
                        help="where to install Schemathesis and find it again (default: a temporary folder)")
    parser.add_argument("--examples", type=int, default=50, metavar="N",
                        help="cases of each operation in the phase of random ones (default: 50)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="from which cases are drawn (default: 1)")
    args = parser.parse_args()
    args.command[0] = str(pathlib.Path(args.command[0]).resolve())
    with tempfile.TemporaryDirectory(prefix="smsc-schemathesis-") as folder:
        try:
            wrong = run(args, pathlib.Path(folder))
        except (Failed, OSError) as error:
            wrong = [str(error)]
    for each in wrong:
        print("FAIL " + each)
    print("schemathesis: %s" % ("failed" if wrong else "passed"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
