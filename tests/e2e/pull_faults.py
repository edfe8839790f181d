#!/usr/bin/env python3
"""What may go wrong while an image is fetched: connections that are cut, a registry that dies and comes back, a full disk, kill -9 of
sbx, of sbx-transfer and of both, Ctrl-C. Afterwards `sbx system check` finds nothing, no process is left, the next pull completes, and
fetches no layer that was finished: the registry's log tells.

pull_faults.py [POINTS [FAULT...]]: each fault at POINTS random points (SBX_FAULT_POINTS, or 6)."""
import fcntl
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from cutting_proxy import CuttingProxy  # noqa: E402
from harness import Workspace, need, wait_until  # noqa: E402
from oci_writer import Layout, digest, tar  # noqa: E402
from registry_server import NEEDS, RegistryServer  # noqa: E402

SIZES_MB = (1, 2, 5, 10, 24, 4)
LATE = 120  # s; a pull takes one


class Failed(Exception):
    """What was found wrong."""


def check(holds: bool, what: str, *details) -> None:
    if not holds:
        raise Failed(f"{what}: {details}")


class Image:
    """An image in a registry: what its layers are called there and in the store."""

    def __init__(self, place: Workspace, server: RegistryServer):
        layout = Layout(place.work / "layout")
        tars = [tar(*({"name": f"{number}/{i}", "data": os.urandom(size << 18) + bytes(size << 18)} for i in range(2)))
                for number, size in enumerate(SIZES_MB)]
        packed = [layout.layer(each) for each in tars]
        self.digests = {digest(each): descriptor["digest"] for each, descriptor in zip(tars, packed)}  # by diff id
        self.bytes = sum(descriptor["size"] for descriptor in packed)
        config = layout.config(list(self.digests))
        layout.index(image=layout.manifest(config, packed))
        subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", f"oci:{layout.folder}:image",
                        f"docker://{server.host}/faulty:1"], check=True)


class Faults:
    def __init__(self, place: Workspace, server: RegistryServer, points: int, chance: random.Random):
        self.place, self.server, self.points, self.chance = place, server, points, chance
        self.image = Image(place, server)
        self.name = f"{server.host}/faulty:1"
        self.store = place.root / "home/.local/share/sbx/store"
        self.completed = self.kept = 0  # pulls that came through by themselves, and finished layers that outlived a fault
        began = time.monotonic()
        self.must("pull", "-q", "--tls-verify=false", self.name)
        self.seconds = time.monotonic() - began
        self.must("rmi", self.name)

    def must(self, *words) -> str:
        done = self.place.sbx(*words, timeout=LATE)
        check(done.code == 0, f"sbx {' '.join(map(str, words))}", done)
        return done.out

    def pull(self, host: str = "") -> subprocess.Popen:
        name = f"{host}/faulty:1" if host else self.name
        return self.place.start("sbx", "pull", "-q", "--tls-verify=false", name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def moment(self) -> float:
        return self.chance.uniform(0, self.seconds * 1.1)

    def finished(self) -> set[str]:
        """The layers (by their digest in the registry) that lie in the store."""
        blobs = self.store / "blobs/sha256"
        there = set(os.listdir(blobs)) if blobs.exists() else set()
        return {packed for diff_id, packed in self.image.digests.items() if diff_id.removeprefix("sha256:") in there}

    def log_size(self) -> int:
        return self.server.log.stat().st_size

    def fetched_since(self, size: int) -> set[str]:
        """The layers that the registry was asked for since its log had this size."""
        with open(self.server.log, errors="replace") as log:
            log.seek(size)
            text = log.read()
        return {packed for packed in self.image.digests.values() if f"/blobs/{packed}" in text}

    def look(self) -> None:
        """The store is whole, nothing runs, and another pull goes on where this one stopped."""
        check(wait_until(self.nobody_left, 5), "processes are left, or the store is still in use", self.own_processes())
        before = self.finished()
        report = json.loads(self.must("system", "check", "--format", "json"))
        check(report["Found"] == 0, "system check", report)
        check(self.finished() == before, "finished layers are gone", before, self.finished())
        check(not os.listdir(self.store / "staging"), "left in staging", os.listdir(self.store / "staging"))
        self.kept += len(before)
        mark = self.log_size()
        self.must("pull", "-q", "--tls-verify=false", self.name)
        again = self.fetched_since(mark) & before
        check(not again, "finished layers are fetched again", again)
        self.forget()

    def nobody_left(self) -> bool:
        """A process that is not listed any more may still have threads that end, and with them the lock."""
        lock = self.store / "use.lock"
        if self.own_processes():
            return False
        if lock.exists():
            with open(lock, "rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
        return True

    def forget(self) -> None:
        report = json.loads(self.must("system", "check", "--format", "json"))
        check(report["Found"] == 0, "system check after the next pull", report)
        self.must("rmi", "-f", self.name)
        check(not self.finished(), "rmi leaves layers")

    def own_processes(self) -> dict[int, str]:
        return {pid: words for pid, words in self.place.left().items() if "sbx" in words.split(" ")[0]}

    # ---- the faults -------------------------------------------------------------------------------------------------
    def cut(self) -> None:
        """Several connections, each at another point; the pull goes on by itself, and fetches no byte twice that it had."""
        cuts = [int(math.exp(self.chance.uniform(math.log(100), math.log(self.image.bytes / 2)))) for _ in range(7)]
        with CuttingProxy(self.server.port, down=cuts) as proxy:
            code = self.pull(proxy.host).wait(LATE)
            check(code == 0 or proxy.made >= 5, "a pull over connections that are cut", code, cuts, proxy.made)
            self.completed += code == 0
            # A cut connection loses what the proxy had sent and sbx had not read: a receive buffer.
            check(proxy.carried_down < self.image.bytes + proxy.made * (6 << 20) + 100_000, "bytes through the proxy",
                  proxy.carried_down, self.image.bytes, proxy.made)
            if code == 0:
                self.must("rmi", "-f", f"{proxy.host}/faulty:1")
        self.look()

    def restart(self) -> None:
        """The registry is killed and started again while the pull still tries, or comes back too late for it."""
        pull = self.pull()
        time.sleep(self.moment())
        self.server.stop(kill=True)
        time.sleep(self.chance.choice((0, 0.2, 1)))
        self.server.start()
        code = pull.wait(LATE)
        self.completed += code == 0
        self.look()

    def kill_transfer(self) -> None:
        self._kill(lambda sbx: self._transfers())

    def kill_sbx(self) -> None:
        """sbx-transfer ends with it, even while it waits for a registry that says nothing."""
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            pull = self.pull()
            time.sleep(self.chance.uniform(0, 0.1))
            pull.kill()
            pull.wait()
            check(wait_until(lambda: not self.own_processes(), 2), "sbx-transfer outlives sbx", self.own_processes())
        finally:
            self.server.process.send_signal(signal.SIGCONT)
        self._kill(lambda sbx: [sbx])

    def kill_both(self) -> None:
        self._kill(lambda sbx: [sbx, *self._transfers()])

    def _transfers(self) -> list[int]:
        return [pid for pid, words in self.own_processes().items() if words.split(" ")[0].endswith("sbx-transfer")]

    def _kill(self, victims) -> None:
        pull = self.pull()
        time.sleep(self.moment())
        for pid in victims(pull.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.completed += pull.wait(LATE) == 0
        self.look()

    def interrupt(self) -> None:
        """Ctrl-C: to the whole process group."""
        pull = self.pull()
        time.sleep(self.moment())
        os.killpg(pull.pid, signal.SIGINT)
        code = pull.wait(5)
        check(code in (0, 130, -signal.SIGINT), "how an interrupted pull ends", code)
        self.completed += code == 0
        self.look()

    def full(self) -> None:
        """A disk that is full at some point: a tmpfs in a user namespace, which is made larger afterwards."""
        raw = sum(SIZES_MB)
        room = int(self.chance.uniform(0.2, raw * 1.02) * 1024)
        script = r"""
          set -eu
          mount -t tmpfs -o size=$1k none "$2"
          code=0; sbx --root "$2" pull -q --tls-verify=false "$3" >/dev/null 2>error || code=$?
          sbx --root "$2" system check >&2
          echo "$code" $(ls "$2"/store/blobs/sha256)
          mount --options-mode ignore -o remount,size=1g "$2"
          wc -c <"$4"
          sbx --root "$2" pull -q --tls-verify=false "$3" >&2
          sbx --root "$2" system check >&2
          ls "$2/store/staging"
        """
        disk = self.place.work / "disk"
        disk.mkdir(exist_ok=True)
        done = self.place.run("unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", room, disk, self.name, self.server.log,
                              timeout=LATE)
        check(done.code == 0, "a full disk", room, done)
        first, mark, *staging = done.out.splitlines()
        code, *blobs = first.split(" ")
        check(not staging, "left in staging", staging)
        error = (self.place.work / "error").read_text()
        check(code == "0" or "No space left" in error or "no space left" in error, "what it says of a full disk", code, error)
        self.completed += code == "0"
        before = {packed for diff_id, packed in self.image.digests.items() if diff_id.removeprefix("sha256:") in blobs}
        self.kept += len(before)
        again = self.fetched_since(int(mark)) & before
        check(not again, "finished layers are fetched again", again)

    FAULTS = {"cut": cut, "restart": restart, "full": full, "kill-transfer": kill_transfer, "kill-sbx": kill_sbx,
              "kill-both": kill_both, "interrupt": interrupt}

    def run(self, name: str) -> None:
        self.completed = self.kept = 0
        began = time.monotonic()
        for point in range(self.points):
            try:
                self.FAULTS[name](self)
            except Failed as wrong:
                sys.exit(f"{name}, point {point + 1} of {self.points}: {wrong}")
        print(f"{name}: {self.points} points, {self.completed} pulls came through by themselves, {self.kept} finished layers were kept "
              f"and not fetched again; {time.monotonic() - began:.0f} s", flush=True)


def main() -> None:
    need(*NEEDS, "userns", "tool:skopeo")
    points = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("SBX_FAULT_POINTS", "6"))
    seed = random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    with Workspace("pull-faults") as place, RegistryServer(place.work / "registry") as server:
        faults = Faults(place, server, points, random.Random(seed))
        for name in sys.argv[2:] or Faults.FAULTS:
            faults.run(name)


if __name__ == "__main__":
    main()
