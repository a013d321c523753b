"""The programs that an end to end run is made of, started on free ports, killed and started again; none outlives the run."""

import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time

START_SECONDS = 60
TURN_SECONDS = 0.02  # between two looks at what is waited for
PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """The run cannot go on."""


def free_port():
    """A port that stays free while nobody listens on it: below those that the system gives to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue


def until(what, seconds, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed("%s: not within %d s" % (what, seconds))
        time.sleep(TURN_SECONDS)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def speaks(port, asked, answer):
    """Whether whoever listens there answers these octets with those."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(asked)
            return line.recv(len(answer)) == answer
    except OSError:
        return False


def found(*names):
    """The first of these programs that is there."""
    for name in names:
        if path := shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/lib/rabbitmq/bin:/usr/lib/erlang/bin"):
            return path
    raise Failed("there is no %s" % names[0])


LIBC = ctypes.CDLL(None)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Program:
    """A program that is killed and started again, with the same command, folder and ports. `is_ready` says that it is up."""

    def __init__(self, name, command, folder, is_ready, environment=None):
        folder.mkdir(exist_ok=True)
        self.name, self.command, self.folder, self.is_ready = name, [str(word) for word in command], folder, is_ready
        self.environment = {**os.environ, "RUST_BACKTRACE": "0", **(environment or {})}
        self.log = folder / (name + ".log")
        self.down_seconds = 0.0
        self.ends = []  # when it was ended, as time.time()
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True, preexec_fn=die_with_parent)
        until("%s to be ready" % self.name, START_SECONDS, lambda: self.is_up() and self.is_ready())

    def is_up(self):
        if self.process.poll() is not None:
            raise Failed("%s ended by itself with status %d:\n%s" % (self.name, self.process.returncode, self.tail()))
        return True

    def end(self, how=signal.SIGKILL):
        if self.process.poll() is None:
            os.killpg(self.process.pid, how)
            self.process.wait(START_SECONDS)

    def restart(self, how):
        before = time.monotonic()
        self.ends.append(time.time())
        self.end(how)
        self.start()
        self.down_seconds += time.monotonic() - before

    def tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def rss_mebioctets(self):
        [line] = [line for line in pathlib.Path("/proc/%d/status" % self.process.pid).read_text().splitlines() if "VmRSS" in line]
        return int(line.split()[1]) / 1024


class Programs(contextlib.ExitStack):
    """What runs; all of it ends with the `with` block, the last first."""

    def __init__(self, folder):
        super().__init__()
        self.folder, self.all = folder, []

    def start(self, name, command, is_ready, environment=None, folder=None):
        program = Program(name, command, folder or self.folder, is_ready, environment)
        self.callback(program.end)
        self.all.append(program)
        return program

    def rabbitmq(self):
        """A RabbitMQ of its own, with its own node, folders and ports; and the port."""
        home, port, names = self.folder / "broker", free_port(), free_port()
        self.start("epmd", [found("epmd"), "-port", names, "-address", "127.0.0.1"], lambda: listens(names), folder=home)
        script = pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # that on the path may change the user
        environment = {
            "RABBITMQ_NODENAME": "end%d@localhost" % port, "RABBITMQ_NODE_PORT": str(port), "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(free_port()), "ERL_EPMD_PORT": str(names), "HOME": str(home),
            "RABBITMQ_MNESIA_BASE": str(home / "data"), "RABBITMQ_LOG_BASE": str(home / "log"), "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"), "RABBITMQ_CONF_ENV_FILE": str(home / "environment"),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq"),
            # Two threads that do not spin: others run beside. The daemon for names runs already.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -start_epmd false",
            # The broker in place of the script, so that signals reach it.
            "RUNNING_UNDER_SYSTEMD": "true",
        }
        command = [script if script.exists() else found("rabbitmq-server")]
        return self.start("broker", command, lambda: speaks(port, b"AMQP\0\0\x09\x01", b"\x01"), environment, home), port

    def redis(self):
        """A Redis that keeps each write at once; and the port."""
        port = free_port()
        command = [found("redis-server"), "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes",
                   "--appendfsync", "always"]
        return self.start("redis", command, lambda: speaks(port, b"PING\r\n", b"+PONG"), folder=self.folder / "redis"), port


class Api:
    """JSON over HTTP; each thread needs one of its own. The connection is kept, and made again when it is lost."""

    def __init__(self, port, timeout=30):
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def ask(self, path, body=None, method=None):
        """The answer; OSError or HTTPException when nobody knows what became of it, Failed when it is a refusal."""
        data = None if body is None else json.dumps(body).encode()
        try:
            self.line.request(method or ("GET" if body is None else "POST"), path, data, {"Content-Type": "application/json"})
            response = self.line.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self.line.close()
            raise
        if response.status >= 300:
            raise Refused("%s: %d %s" % (path, response.status, text[:200]))
        return json.loads(text) if text else None


class Refused(Failed):
    """An answer that says no."""


UNKNOWN = (OSError, http.client.HTTPException, ValueError)  # what became of a request is not known
