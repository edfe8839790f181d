#!/usr/bin/env python3
"""Containers of one image share a mount of it, from the second one on: one process serves them, it goes with the last, nothing that
one of them does is seen by another, and whoever is killed, nothing is left.

sharing.py CASE: one of the functions at the end."""
import os
import pty
import re
import signal
import socket
import sys
import termios
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, descendants, images, need, wait_until  # noqa: E402


class Sharing:
    def __init__(self, place: Workspace):
        self.place = place
        loaded = place.sbx("load", f"oci:{images()}/small:latest")
        if loaded.code != 0:
            sys.exit(f"sbx load: {loaded}")
        self.started = 0

    def start(self, *options: str, script: str = "exec sleep 1000", **how):
        """A container that runs; its output is in a file of its own."""
        self.started += 1
        log = self.place.work / f"log{self.started}"
        with log.open("wb") as out:
            process = self.place.start("sbx", "run", "--rm", "--net", "none", *options, "small", "sh", "-c", f"echo up; {script}",
                                       stdout=out, stderr=out, **how)
        process.log = log
        if not wait_until(lambda: "up\n" in log.read_text(errors="replace") or process.poll() is not None, 20) or process.poll() is not None:
            sys.exit(f"the sandbox did not start: {log.read_text(errors='replace')}")
        return process

    def servers(self) -> list[int]:
        return [pid for pid, words in self.place.left().items() if words.startswith("sbx: image ")]

    def own_servers(self) -> list[int]:
        return [pid for pid, words in self.place.left().items() if words.startswith("sbx: fs ")]

    def files(self) -> list[str]:
        return sorted(os.listdir(self.place.root / "run/sbx"))

    def expect(self, what: str, found, wanted) -> None:
        if found != wanted:
            sys.exit(f"{what}: {found!r}, not {wanted!r}")

    def expect_gone(self) -> None:
        """Within a second, the last container having ended."""
        wait_until(lambda: (self.place.reap(), not self.servers() and self.files() == ["images.lock"])[1], 1)
        self.expect("servers left", self.servers(), [])
        self.expect("files left", self.files(), ["images.lock"])


def end(process) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(10)


def shared(place: Workspace) -> None:
    sharing = Sharing(place)
    first = sharing.start()
    sharing.expect("servers with one container", (len(sharing.servers()), len(sharing.own_servers())), (0, 1))
    others = [sharing.start(), sharing.start(), sharing.start("--overlay=kernel")]
    sharing.expect("servers with four", (len(sharing.servers()), len(sharing.own_servers())), (1, 1))
    title = re.compile(r"^sbx: image [0-9a-f]{12}$")
    words = place.left()[sharing.servers()[0]]
    if not title.match(words):
        sys.exit(f"the server calls itself {words!r}")
    # What another container of this image must not change.
    private = [sharing.start("--overlay=fuse"), sharing.start("--fs-stats"), sharing.start("--userns=single"), sharing.start("--storage-opt", "size=1m")]
    sharing.expect("servers with private ones", (len(sharing.servers()), len(sharing.own_servers())), (1, 5))
    # Owners look different in there, so it is another mount; its second one starts a server.
    kept = [sharing.start("--userns=keep-id") for _ in range(2)]
    sharing.expect("servers with keep-id", (len(sharing.servers()), len(sharing.own_servers())), (2, 6))
    for process in [first, *private, *kept]:
        end(process)
    wait_until(lambda: len(sharing.servers()) == 1, 1)
    sharing.expect("servers without the first", (len(sharing.servers()), len(sharing.own_servers())), (1, 0))
    server = sharing.servers()
    others.append(sharing.start())
    sharing.expect("the server that a new one finds", sharing.servers(), server)
    for process in others:
        end(process)
    sharing.expect_gone()


def same(place: Workspace) -> None:
    """What a sandbox shows does not depend on who serves its image."""
    script = ("id; ls -lanR /bin /data /etc /kept /lib /odd* 2>&1 | grep -v -e ' \\.$' -e ' \\.\\.$' -e resolv.conf -e hosts -e hostname; cat /data/* 2>&1 | cksum; "
              "chown 33:44 /data/plain; stat -c '%u:%g' /data/plain; echo more >>/data/plain; tail -n 1 /data/plain; rm -r /kept && mkdir /kept; "
              "cat /sys/kernel/notes >/dev/null; mount -t tmpfs none /mnt 2>&1; touch /proc/sys/kernel/hostname 2>&1")
    sharing = Sharing(place)
    for options in ([], ["--userns=keep-id"], ["--userns=keep-id:uid=33,gid=44"], ["--user", "33:44"], ["--init=false"], ["-v", f"{place.work}:/work:ro"],
                    ["--read-only", "--overlay=kernel"], ["--net=slirp"]):
        network = [] if "--net=slirp" in options else ["--net=none"]
        arguments = ["run", "--rm", *network, "--hostname", "h", *options, "small", "sh", "-c", script]
        alone = place.sbx(*arguments)
        base = [option for option in options if option.startswith("--userns")]
        running = [sharing.start(*base), sharing.start(*base)]
        sharing.expect(f"servers with {options}", len(sharing.servers()), 1)
        beside = place.sbx(*arguments)
        sharing.expect(f"with {options}, beside another", beside, alone)
        if alone.code not in (0, 1) or "plain" not in alone.out:
            sys.exit(f"with {options}: {alone}")
        for process in running:
            end(process)
        sharing.expect_gone()


def isolated(place: Workspace) -> None:
    """All that one can do to what both see."""
    look = "ls -lanR /data /bin /kept | cksum; cat /data/plain; stat -c '%a %Y' / /data"
    sharing = Sharing(place)
    first = sharing.start()
    watcher = sharing.start("-v", f"{place.work}:/work:ro", script=f"before=$({look}); while ! [ -e /work/tried ]; do sleep 0.05; done; "
                            f"[ \"$({look})\" = \"$before\" ] && echo untouched; exec sleep 1000")
    server = sharing.servers()
    fresh = place.sbx("run", "--rm", "--net", "none", "small", "sh", "-c", look)
    attempts = ("mkdir /low; echo changed >/data/plain; chmod 777 /data; chown 1:1 /bin/sh; rm -r /kept; touch -d @1 / /data/*; "
                "mount -o remount,rw / 2>/dev/null; for pid in /proc/[0-9]*; do cat $pid/comm; done; ")
    done = place.sbx("run", "--rm", "--net", "none", "small", "sh", "-c", attempts + "grep -c fuse /proc/self/mountinfo; kill -9 -1")
    if "image" in done.out or "sbx: fs" in done.out:
        sys.exit(f"the server is seen from inside: {done}")
    sharing.expect("mounts of ours that are seen from inside", done.out.splitlines()[-1:], ["0"])
    (place.work / "tried").touch()
    if not wait_until(lambda: "untouched" in watcher.log.read_text(), 5):
        sys.exit(f"another one saw what was done: {watcher.log.read_text()}")
    sharing.expect("what the next one sees", place.sbx("run", "--rm", "--net", "none", "small", "sh", "-c", look), fresh)
    sharing.expect("the server", sharing.servers(), server)
    end(first)
    end(watcher)
    sharing.expect_gone()


def confined(place: Workspace) -> None:
    """What the server still has of who started it, and of rights."""
    sharing = Sharing(place)
    first = sharing.start()
    reader, writer = os.pipe()
    second = place.start("sbx", "run", "--rm", "--net", "none", "small", "sh", "-c", "echo up; exec sleep 1000", stdout=writer, stderr=writer)
    os.close(writer)
    if os.read(reader, 3) != b"up\n":
        sys.exit("the second did not start")
    third = sharing.start()
    server = sharing.servers()[0]
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{server}/status").read_text().splitlines() if ":\t" in line)
    sharing.expect("no_new_privs", status["NoNewPrivs"], "1")
    sharing.expect("capabilities of who answers", status["CapEff"], "0" * 16)
    sharing.expect("bounding set", status["CapBnd"], "0" * 16)
    if os.access(f"/proc/{server}/exe", os.R_OK) or os.access(f"/proc/{server}/environ", os.R_OK):
        sys.exit("the server is dumpable: its /proc files can be read")
    session = int(Path(f"/proc/{server}/stat").read_text().rsplit(")", 1)[1].split()[3])
    sharing.expect("its session", session, server)
    end(second)
    # End of file: nobody holds the pipe, though the server lives.
    os.set_blocking(reader, False)
    if not wait_until(lambda: readable(reader) == b"", 2):
        sys.exit("the server holds the pipe of who started it")
    sharing.expect("server", sharing.servers(), [server])
    for process in (first, third):
        end(process)
    sharing.expect_gone()


def readable(reader: int) -> bytes | None:
    try:
        return os.read(reader, 100)
    except BlockingIOError:
        return None


def kill_server(place: Workspace) -> None:
    sharing = Sharing(place)
    first = sharing.start()
    others = [sharing.start(), sharing.start(script="while true; do cat /bin/* /data/* >/dev/null 2>&1; done")]
    (server,) = sharing.servers()
    os.kill(server, signal.SIGKILL)
    for process in others:
        sharing.expect("exit code", process.wait(5), 125)
        message = process.log.read_text(errors="replace")
        if not re.search("^sbx: cannot go on .*: the image server of the sandbox is gone$", message, re.MULTILINE):
            sys.exit(f"it said: {message!r}")
    sharing.expect("the one that has its own server", first.poll(), None)
    # The socket is still there, and nobody listens.
    sharing.expect("files left", [name for name in sharing.files() if "." not in name] != [], True)
    again = sharing.start()
    sharing.expect("servers", len(sharing.servers()), 1)
    for process in (first, again):
        end(process)
    sharing.expect_gone()


def kill_supervisors(place: Workspace) -> None:
    sharing = Sharing(place)
    processes = [sharing.start() for _ in range(4)]
    # Its command is PID 1, and may have cleared its death signal.
    processes.append(sharing.start("--init=false"))
    inits = [pid for process in processes for pid in descendants(process.pid)]
    for process in processes:
        process.kill()
        process.wait()
    wait_until(place.reap, 2)
    sharing.expect("processes left", place.left(), {})
    sharing.expect("processes of the sandboxes left", [pid for pid in inits if os.path.exists(f"/proc/{pid}")], [])
    sharing.expect("sockets left", [name for name in sharing.files() if "." not in name], [])
    after = place.sbx("run", "--rm", "small", "echo", "next")
    sharing.expect("the next one", (after.code, after.out), (0, "next\n"))


def terminal(place: Workspace) -> None:
    """There is no file system process that could put it right: another one watches."""
    sharing = Sharing(place)
    first = sharing.start()
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    second = place.start("setsid", "--ctty", "--wait", "sbx", "run", "--rm", "-it", "--net", "none", "small", "sh", "-c", "echo up; exec sleep 1000",
                         stdin=slave, stdout=slave, stderr=slave)
    seen = b""
    while b"up" not in seen:
        seen += os.read(master, 1000)
    sharing.expect("servers", len(sharing.servers()), 1)
    if termios.tcgetattr(slave)[3] == before[3]:
        sys.exit("the terminal is not raw")
    supervisor = next(pid for pid, words in place.left().items() if words.startswith("sbx run --rm -it"))
    os.kill(supervisor, signal.SIGKILL)
    if not wait_until(lambda: termios.tcgetattr(slave)[3] == before[3], 2):
        sys.exit("the terminal is still raw")
    second.wait(5)
    wait_until(lambda: (place.reap(), not sharing.servers())[1], 2)
    sharing.expect("servers left", sharing.servers(), [])
    third = place.start("setsid", "--ctty", "--wait", "sbx", "run", "--rm", "-it", "--net", "none", "small", "sh", "-c", "exit 7", stdin=slave, stdout=slave, stderr=slave)
    began = time.monotonic()
    sharing.expect("exit code", third.wait(10), 7)
    if time.monotonic() - began > 4:
        sys.exit("the end waited for who watches")
    end(first)


def kill_while_starting(place: Workspace) -> None:
    """kill -9 of who starts the server, at any moment: others come through."""
    sharing = Sharing(place)
    first = sharing.start()
    for i in range(15):
        victim = place.start("sbx", "run", "--rm", "--net", "none", "small", "sleep", "1000")
        time.sleep(0.0015 * (i + 1))
        victim.kill()
        victim.wait()
        after = place.sbx("run", "--rm", "--net", "none", "small", "echo", "next")
        sharing.expect("beside a killed one", (after.code, after.out), (0, "next\n"))
    wait_until(lambda: (place.reap(), not sharing.servers())[1], 2)
    sharing.expect("servers left", sharing.servers(), [])
    end(first)


def at_once(place: Workspace) -> None:
    sharing = Sharing(place)
    logs = [place.work / f"out{i}" for i in range(20)]
    started = [place.start("sbx", "run", "--rm", "--net", "none", "small", "sh", "-c", "echo $$; cat /data/plain; sleep 1", stdout=log.open("wb"), stderr=2)
               for log in logs]
    most = 0
    while any(process.poll() is None for process in started):
        most = max(most, len(sharing.servers()))
        time.sleep(0.02)
    for process, log in zip(started, logs):
        sharing.expect("exit code", process.wait(), 0)
        sharing.expect("output", log.read_text(), logs[0].read_text())
    sharing.expect("most servers at a time", most, 1)
    sharing.expect_gone()


def stale(place: Workspace) -> None:
    """Whatever lies where the socket should be, and a server that says nothing."""
    sharing = Sharing(place)
    first = sharing.start()
    second = sharing.start()
    (name,) = [name for name in sharing.files() if "." not in name]
    end(second)
    wait_until(lambda: name not in sharing.files(), 1)
    path = place.root / "run/sbx" / name
    path.write_text("no socket")
    second = sharing.start()
    sharing.expect("servers in the place of a file", len(sharing.servers()), 1)
    end(second)
    wait_until(lambda: not path.exists(), 1)
    # Somebody of our user who hangs up: the container does without.
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen()
        waiting = place.start("sbx", "run", "--rm", "--net", "none", "small", "true")
        while waiting.poll() is None:
            listener.settimeout(0.05)
            try:
                listener.accept()[0].close()
            except TimeoutError:
                pass
        sharing.expect("exit code beside one who hangs up", waiting.wait(), 0)
    # And where there is no place for sockets.
    path.unlink(missing_ok=True)
    (place.root / "run/sbx").chmod(0o755)
    third = sharing.start()
    sharing.expect("servers without a directory", (len(sharing.servers()), len(sharing.own_servers())), (0, 2))
    (place.root / "run/sbx").chmod(0o700)
    end(third)
    end(first)


CASES = {function.__name__: function
         for function in (shared, same, isolated, confined, kill_server, kill_supervisors, terminal, kill_while_starting, at_once, stale)}


def main() -> None:
    need("userns", "fuse", "net", "ids:full", "tool:umoci", "tool:skopeo")
    name = sys.argv[1]
    with Workspace(f"sharing-{name}") as place:
        CASES[name](place)


if __name__ == "__main__":
    main()
