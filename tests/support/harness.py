"""What the end-to-end tests share: a work folder of their own, what they need of the machine, and the certainty that
nothing they started is left when they end.

Environment: SBX (the program), SBX_TESTS_MUST_RUN, SBX_TEST_CACHE, SBX_TEST_IDS; see tests/README.md."""
import ctypes
import functools
import getpass
import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

SUPPORT = Path(__file__).resolve().parent
SBX = os.environ.get("SBX", "sbx")
TREE_LIST = os.environ.get("SBX_TREE_LIST", "tree_list")
PR_SET_CHILD_SUBREAPER = 36
SKIPPED = 77


# ---- what a test needs of the machine --------------------------------------------------------------------------------
@functools.cache
def facts() -> dict[str, dict]:
    """What `sbx doctor` found out by trying: tests and users get the same words."""
    run = subprocess.run([SBX, "doctor", "--format", "json"], text=True, stdout=subprocess.PIPE, check=False)
    try:
        return {fact["id"]: fact for fact in json.loads(run.stdout)}
    except ValueError:
        sys.exit(f"{SBX} doctor --format json: exit code {run.returncode}, and no JSON: {run.stdout[:200]!r}")


# Which findings of doctor stand behind a need.
NEEDS = {"userns": ["userns"], "subids": ["subids", "idmap"], "fuse": ["fuse"], "net": ["net"]}


def _lacking(need: str) -> str | None:
    for fact in (facts()[each] for each in NEEDS[need]):
        if fact["status"] != "ok":
            return " ".join(filter(None, [fact["found"], fact["remedy"] and f"({fact['remedy']})"]))
    return None


def _program(name: str) -> str | None:
    return None if shutil.which(name) else f"no {name} (tools/setup test)"


def full_ids() -> bool:
    """Whether this user's sandboxes get a range of ids; SBX_TEST_IDS says it, else it is found out."""
    return os.environ.get("SBX_TEST_IDS", "single" if _lacking("subids") else "full") == "full"


def need(*needs: str) -> None:
    """Ends the test with 77 and a reason if the machine lacks one; with 1 if SBX_TESTS_MUST_RUN names it.

    A need is a key of NEEDS, `tool:NAME`, or `ids:full` / `ids:single` (which one user has and another has not, so
    its absence is never a failure and the test is simply not for this user: exit 0)."""
    must_run = set(filter(None, os.environ.get("SBX_TESTS_MUST_RUN", "").split(",")))
    for each in needs:
        if each.startswith("ids:"):
            if (each == "ids:full") != full_ids():
                print(f"not for a user whose ids are {'full' if full_ids() else 'single'}")
                sys.exit(0)
            continue
        kind = "tools" if each.startswith("tool:") else each
        lacking = _program(each[5:]) if kind == "tools" else _lacking(each)
        if lacking:
            print(f"{'FAIL' if kind in must_run else 'SKIP'} {kind}: {lacking}")
            sys.exit(1 if kind in must_run else SKIPPED)


# ---- processes -------------------------------------------------------------------------------------------------------
def processes() -> dict[int, tuple[int, str]]:
    """Every process: pid to (parent, what to call it). Zombies are not processes any more."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                line = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace")
                words = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:
                continue  # it ended while we looked
            name, rest = line[line.index("(") + 1:line.rindex(")")], line[line.rindex(")") + 2:].split()
            if rest[0] != "Z":
                found[int(entry)] = (int(rest[1]), words or f"[{name}]")
    return found


def descendants(ancestor: int) -> dict[int, str]:
    table = processes()
    wanted, grown = {ancestor}, True
    while grown:
        more = {pid for pid, (parent, _) in table.items() if parent in wanted} - wanted
        grown = bool(more)
        wanted |= more
    return {pid: table[pid][1] for pid in wanted - {ancestor} if pid in table}


def wait_until(condition, seconds: float, step: float = 0.01) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True


class Outcome(NamedTuple):
    """How a command ended. code: None if it was killed for being late, -N if by signal N."""
    code: int | None
    out: str
    err: str


# ---- a place to work -------------------------------------------------------------------------------------------------
class Workspace:
    """A folder with home/, run/, tmp/ and work/, and an environment that points there.

    As a context: kills what is left when the test ends, complains about it, removes the folder, or keeps it with a
    repro.sh if the test failed."""

    def __init__(self, name: str):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # so that what escapes its parent is still ours to find
        self.name = name
        # Short, because sockets below run/ must fit into 108 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="sbx-", dir=os.environ.get("TMPDIR", "/var/tmp")))
        self.work = self.root / "work"
        for folder in ("home", "run", "tmp", "work", "bin"):
            (self.root / folder).mkdir(mode=0o700)
        (self.root / "bin/sbx").symlink_to(Path(SBX).resolve())
        self.environment = {
            "HOME": str(self.root / "home"), "XDG_RUNTIME_DIR": str(self.root / "run"), "TMPDIR": str(self.root / "tmp"),
            "PATH": f"{self.root}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "USER": getpass.getuser(), "LOGNAME": getpass.getuser(), "SHELL": "/bin/sh",
            "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "dumb",
            "SBX": str(Path(SBX).resolve()), "TREE_LIST": TREE_LIST, "SUPPORT": str(SUPPORT)}
        for name_kept in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "SBX_TEST_CACHE"):
            if name_kept in os.environ:
                self.environment[name_kept] = os.environ[name_kept]
        self.commands: list[str] = []

    def start(self, *command, **options) -> subprocess.Popen:
        """Starts a command in the work folder, in a session of its own."""
        command = [str(word) for word in command]
        self.commands.append(shlex.join(command))
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(command, cwd=self.work, env=self.environment, start_new_session=True, **options)

    def run(self, *command, timeout: float = 60, input_bytes: bytes = b"", join: bool = False) -> "Outcome":
        """Runs a command to its end. Its output goes to files: a pipe would wait for whoever still holds it, and hide
        that somebody does. With `join`, stderr goes where stdout goes. A late command is killed; its code is None."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(input_bytes)
            given.seek(0)
            process = self.start(*command, stdin=given, stdout=out, stderr=out if join else err)
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                code = None
                self._show_stacks()
                self.kill_all()
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode(errors="backslashreplace"))
            return Outcome(code, *texts)

    def sbx(self, *arguments, **options) -> "Outcome":
        return self.run("sbx", *arguments, **options)

    def left(self) -> dict[int, str]:
        return descendants(os.getpid())

    def _show_stacks(self) -> None:
        """Where each process waits; the kernel's stack for root, the name of the wait for others."""
        for pid, words in self.left().items():
            for file in ("stack", "wchan"):
                try:
                    print(f"  {pid} {words}: {Path(f'/proc/{pid}/{file}').read_text(encoding='utf-8').strip()}")
                    break
                except OSError:
                    continue

    def kill_all(self) -> None:
        def try_again() -> bool:
            for pid in self.left():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.reap()
            return not self.left()
        wait_until(try_again, 10)

    @staticmethod
    def reap() -> bool:
        """Takes leave of what has ended and fell to us. True if nothing is left, not even a zombie: one whose threads have not all
        ended yet still has its files open, and its locks."""
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return True
        return False

    def _write_repro(self) -> None:
        lines = ["#!/bin/sh", f"# {self.name}: the commands of the failed test, in its folder", f"cd {shlex.quote(str(self.work))}"]
        lines += [f"export {key}={shlex.quote(value)}" for key, value in self.environment.items()]
        script = self.root / "repro.sh"
        script.write_text("\n".join(lines + self.commands) + "\n", encoding="utf-8")
        script.chmod(0o755)
        print(f"kept: {script}")

    def remove(self) -> None:
        for folder, folders, _ in os.walk(self.root):
            for name in folders:
                path = os.path.join(folder, name)
                if not os.path.islink(path) and not os.stat(path).st_mode & stat.S_IRWXU == stat.S_IRWXU:
                    os.chmod(path, 0o700)
        shutil.rmtree(self.root)

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(self, kind, error, trace) -> None:
        # A process that is just ending is not left behind; one that is there after a second is.
        wait_until(lambda: (self.reap(), not self.left())[1], 1)
        left = self.left()
        self.kill_all()
        if kind in (None, SystemExit) and (error is None or not error.code) and not left:
            self.remove()
            return
        if kind is SystemExit and isinstance(error.code, str):
            print(error.code)
        for pid, words in left.items():
            print(f"left behind: {pid} {words}")
        self._write_repro()
        if kind is None or kind is SystemExit:
            sys.exit(1)


def images() -> Path:
    """The folder of the test images, made at the first call (tests/support/make_images.sh) and kept in the cache."""
    cache = Path(os.environ.get("SBX_TEST_CACHE", Path.home() / ".cache/sbx-test"))
    cache.mkdir(parents=True, exist_ok=True)
    subprocess.run([str(SUPPORT / "make_images.sh"), str(cache / "images")], check=True, stdout=subprocess.DEVNULL)
    return cache / "images"
