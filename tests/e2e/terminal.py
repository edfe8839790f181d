#!/usr/bin/env python3
"""`-t`: a terminal of the sandbox's own; sizes, Ctrl-C, job control; the caller's terminal is as before on every exit.
Signals to sbx go to the command."""
import errno
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, images, need, wait_until  # noqa: E402


class Terminal:
    """A pseudo-terminal with sbx at the other end, and what was seen on it."""

    def __init__(self, place: Workspace, *arguments: str, verb: tuple = ("run", "--rm", "-it", "--net", "none")):
        self.master, self.slave = pty.openpty()
        self.resize(30, 100)
        self.before = termios.tcgetattr(self.slave)
        self.seen = ""

        def own_terminal():
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        self.process = place.start("sbx", *verb, *arguments, stdin=self.slave, stdout=self.slave,
                                   stderr=self.slave, preexec_fn=own_terminal)
        os.set_blocking(self.master, False)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def _read(self) -> None:
        try:
            self.seen += os.read(self.master, 65536).decode(errors="replace")
        except (BlockingIOError, OSError) as error:
            if error.errno not in (errno.EAGAIN, errno.EIO):
                raise

    def expect(self, pattern: str) -> None:
        """Waits for the pattern and forgets what came up to its end."""
        def came() -> bool:
            self._read()
            return re.search(pattern, self.seen) is not None
        if not wait_until(came, 15):
            sys.exit(f"waited for {pattern!r}, saw {self.seen!r}")
        self.seen = self.seen[re.search(pattern, self.seen).end():]

    def expect_end(self, code: int) -> None:
        def ended() -> bool:
            self._read()
            return self.process.poll() is not None
        if not wait_until(ended, 15):
            sys.exit(f"sbx did not end; saw {self.seen!r}")
        if self.process.returncode != code:
            sys.exit(f"exit code {self.process.returncode}, wanted {code}; saw {self.seen!r}")
        # Within a moment: after kill -9 it is another process of ours that puts it back.
        if not wait_until(lambda: termios.tcgetattr(self.slave) == self.before, 1):
            sys.exit("the caller's terminal is not as it was")
        os.close(self.master)
        os.close(self.slave)


def session(place: Workspace, image: str) -> None:
    terminal = Terminal(place, image, "sh")
    terminal.type("tty; stty size\n")
    terminal.expect(r"/dev/(pts/\d+|console)\s+30 100\s")
    terminal.resize(41, 123)
    time.sleep(0.2)
    terminal.type("stty size\n")
    terminal.expect(r"41 123\s")
    terminal.type("sleep 100\n")
    time.sleep(0.3)
    terminal.type("\x03")
    terminal.type("echo code $?\n")
    terminal.expect(r"code 130\s")
    terminal.type("sleep 100\n")
    time.sleep(0.3)
    terminal.type("\x1a")
    terminal.expect("Stopped")
    # In the foreground again, and interrupted there: a shell with a stopped job would not exit at the first word.
    terminal.type("fg\n")
    time.sleep(0.3)
    terminal.type("\x03")
    terminal.type("echo again $?\n")
    terminal.expect(r"again 130\s")
    terminal.type("exit 9\n")
    terminal.expect_end(9)


def raw_mode_ends(place: Workspace, image: str) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        terminal = Terminal(place, image, "sh", "-c", "echo up; exec sleep 100")
        terminal.expect("up")
        if termios.tcgetattr(terminal.slave) == terminal.before:
            sys.exit("the caller's terminal is not raw while -t runs")
        os.kill(terminal.process.pid, number)
        # sleep has no handler, and as PID 1 of the sandbox or not, the signal is to end it.
        terminal.expect_end(-number if number == signal.SIGKILL else 128 + number)


def forwarded(place: Workspace, image: str) -> None:
    for name in ("TERM", "INT", "USR1", "QUIT"):
        with open(place.work / "out", "w+b") as out:
            script = f"trap 'echo got {name}; exit 5' {name}; echo up; while :; do sleep 0.05; done"
            process = place.start("sbx", "run", "--rm", "--net", "none", image, "sh", "-c", script, stdout=out)
            if not wait_until(lambda: b"up" in (place.work / "out").read_bytes(), 15):
                sys.exit("the command did not start")
            os.kill(process.pid, getattr(signal, f"SIG{name}"))
            code = process.wait(15)
            said = (place.work / "out").read_text()
            if (code, said) != (5, f"up\ngot {name}\n"):
                sys.exit(f"SIG{name}: exit code {code}, output {said!r}")


def attached(place: Workspace, image: str) -> None:
    if (made := place.sbx("run", "-d", "-it", "--net", "none", "--name", "back", image, "sh")).code != 0:
        sys.exit(f"run -d -it: {made}")
    for keys, options in (("\x10\x11", ()), ("ab", ("--detach-keys", "a,b"))):
        terminal = Terminal(place, "back", verb=("attach", *options))
        terminal.type("stty size; echo $((6*7))\n")
        terminal.expect(r"30 100\s+42\s")
        terminal.resize(31, 101)
        os.kill(terminal.process.pid, signal.SIGWINCH)
        terminal.type("sleep 0.2; stty size\n")
        terminal.expect(r"31 101\s")
        terminal.type(keys)
        terminal.expect_end(0)
    if (running := place.sbx("ps", "--format", "{{.Names}}").out) != "back\n":
        sys.exit(f"the container did not outlive its watchers: {running}")
    terminal = Terminal(place, "back", verb=("attach",))
    terminal.type("echo $((6*7))\n")
    terminal.expect(r"\s42\s")
    terminal.type("\x03exit 7\n")
    terminal.expect_end(7)
    place.sbx("rm", "back")


def not_a_terminal(place: Workspace, image: str) -> None:
    outcome = place.sbx("run", "--rm", "-it", image, "true")
    if outcome.code != 125 or "terminal" not in outcome.err + outcome.out and "TTY" not in outcome.err:
        sys.exit(f"-it without a terminal: {outcome}")


def main() -> None:
    need("userns", "fuse", "tool:umoci", "tool:skopeo")
    with Workspace("terminal") as place:
        if (loaded := place.sbx("load", f"oci:{images()}/small:latest")).code != 0:
            sys.exit(f"sbx load: {loaded}")
        for part in (session, raw_mode_ends, forwarded, attached, not_a_terminal):
            part(place, "small")
            print(f"{part.__name__}: ok")


if __name__ == "__main__":
    main()
