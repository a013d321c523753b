"""What the scripts share that start an SMSC simulator and point somebody else's program at it."""

import argparse
import contextlib
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

READY_SECONDS = 30
STOP_SECONDS = 30


class Failed(Exception):
    """The run cannot go on, or went wrong outside of its checks."""


class Lines:
    """A child's standard output by lines, read in a thread so that waiting has a limit and no pipe fills."""

    def __init__(self, stream):
        self.queue = queue.Queue()
        threading.Thread(target=self.read, args=(stream,), daemon=True).start()

    def read(self, stream):
        for line in stream:
            self.queue.put(line.rstrip("\n"))
        self.queue.put(None)

    def find(self, pattern, seconds):
        """The match in the first line that has one; None when it did not come in time or the output ended."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.queue.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                return None
            if line is None:
                return None
            if match := re.search(pattern, line):
                return match


class Simulator:
    """A simulator of its own, on free ports: `host` and `port`, `tls_port` if asked for, and `http`, host and port in one."""

    def __init__(self, command, log, *flags, tls=False):
        self.log = log
        flags = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", *flags, *(["--tls-listen", "127.0.0.1:0"] if tls else [])]
        with log.open("wb") as stderr:
            self.process = subprocess.Popen([*command, *flags], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True)
        ready = Lines(self.process.stdout).find(r"^ready smpp=(\S+):(\d+) http=(\S+) seed=\S+(?: tls=\S+:(\d+))?$", READY_SECONDS)
        if not ready:
            self.process.kill()
            raise Failed("no ready line, waited up to %d s; standard error:\n%s" % (READY_SECONDS, tail(log)))
        self.host, self.port, self.http = ready.group(1), int(ready.group(2)), ready.group(3)
        self.tls_port = int(ready.group(4)) if tls else None

    def stop(self):
        """What went wrong, as lines: none, if it ends by itself when it is asked to, and not before."""
        if self.process.poll() is not None:
            return ["the simulator ended by itself with status %d" % self.process.returncode]
        self.process.terminate()
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return ["the simulator was still there %d s after SIGTERM" % STOP_SECONDS]
        wrong = ["the simulator ended with status %d after SIGTERM" % status] if status else []
        text = self.log.read_text(errors="replace")
        if "panicked" in text:
            wrong.append("the simulator panicked:\n" + text[max(text.index("panicked") - 200, 0):][:2000])
        return wrong


def tail(file, lines=40):
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])


@contextlib.contextmanager
def fresh(folder, pinned):
    """Yields whether the folder must be made for what these files pin; stamps it only after that went well."""
    pins = "".join(file.read_text() for file in pinned)
    stamp = folder / "pins"
    needed = not stamp.exists() or stamp.read_text() != pins
    yield needed
    if needed:
        stamp.write_text(pins)


def install(*command, cwd=None):
    try:
        subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failed("installing what the run needs: %s" % error) from error


def venv(folder, requirements):
    """The folder of programs of a virtual environment in which these requirements are installed."""
    with fresh(folder, [requirements]) as needed:
        if needed:
            install(sys.executable, "-m", "venv", "--clear", folder)
            install(folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements)
    return folder / "bin"


def node_modules(folder, pinned):
    """The folder of modules that the package in the folder `pinned` asks for, installed in this folder."""
    files = [pinned / "package.json", pinned / "package-lock.json"]
    with fresh(folder, files) as needed:
        if needed:
            folder.mkdir(parents=True, exist_ok=True)
            for file in files:
                shutil.copy(file, folder)
            install("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
    return folder / "node_modules"


def parser(words, command="+"):
    """A parser of flags that knows the command that starts a simulator, and where to keep what is fetched."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs=command, metavar="COMMAND", help="the simulator and its flags; where to listen is added")
    parser.add_argument("--cache", type=pathlib.Path, metavar="DIR",
                        help="where to install what the run needs, and find it again (default: a temporary folder)")
    return parser


def main(name, args, run):
    """Runs it in a folder of its own, and says what went wrong; the exit status."""
    with tempfile.TemporaryDirectory(prefix="smsc-%s-" % name, ignore_cleanup_errors=True) as folder:
        folder = pathlib.Path(folder)
        # Both are used from other folders.
        args.cache = (args.cache or folder).resolve()
        if args.command and "/" in args.command[0]:
            args.command[0] = str(pathlib.Path(args.command[0]).resolve())
        try:
            wrong = run(args, folder)
        except (Failed, OSError, subprocess.SubprocessError) as error:
            wrong = [str(error)]
    for each in wrong:
        print("FAIL " + each)
    print("%s: %s" % (name, "failed" if wrong else "passed"))
    return 1 if wrong else 0
