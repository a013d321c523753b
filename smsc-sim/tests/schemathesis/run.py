#!/usr/bin/env python3
"""Starts an SMSC simulator and has Schemathesis try its HTTP API against what the API says of itself.

    run.py [options] -- smsc-sim [its flags]

Whatever is sent, no answer may be a 5xx, and status, type and body must be as /api/v1/openapi.json has them. A small
ESME binds and submits meanwhile, and comes back whenever it is cut off, so that there are sessions and messages to be
asked about. The stream of PDUs is left out: it has no end. Exit status 0 when nothing was found, else 1.

Needs python3 with venv, and PyPI or a cache that has been filled before.
"""

import contextlib
import os
import pathlib
import struct
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import harness
from esme import Esme
from harness import Simulator

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance," \
    "response_headers_conformance,unsupported_method,allow_header_conformance"


def traffic(simulator):
    """Binds and submits now and then, and begins again when it is cut off or left without an answer."""
    while True:
        with contextlib.suppress(OSError, struct.error):
            esme = Esme(simulator.host, simulator.port, timeout=1)
            with contextlib.closing(esme):
                while True:
                    esme.submit("Hello")
                    time.sleep(0.05)
        time.sleep(0.05)


def run(args, folder):
    """Returns what went wrong, as lines."""
    schemathesis = harness.venv(args.cache / "schemathesis", HERE / "requirements.txt") / "schemathesis"
    simulator = Simulator(args.command, folder / "simulator.log", "--seed", "1")
    try:
        threading.Thread(target=traffic, args=(simulator,), daemon=True).start()
        http = "http://" + simulator.http
        environment = dict(os.environ, SCHEMATHESIS_HOOKS="hooks", PYTHONPATH=str(HERE), PYTHONDONTWRITEBYTECODE="1",
                           SMSC_SIM_HTTP=http)
        status = subprocess.run(
            [schemathesis, "run", http + "/api/v1/openapi.json", "--exclude-path", "/api/v1/pdus/stream",
             "--checks", CHECKS, "--seed", str(args.seed), "--max-examples", str(args.examples),
             "--request-timeout", "20", "--generation-database", "none", "--warnings", "off", "--no-color"],
            env=environment, cwd=folder).returncode
    finally:
        wrong = simulator.stop()
    return wrong + (["schemathesis: exit status %d" % status] if status else [])


def parsed():
    parser = harness.parser(__doc__)
    parser.add_argument("--examples", type=int, default=50, metavar="N",
                        help="cases of each operation in the phase of random ones (default: 50)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="from which cases are drawn (default: 1)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(harness.main("schemathesis", parsed(), run))
