#!/usr/bin/env python3
"""Random verbs on random containers by several processes at once, while supervisors, file system and network processes are killed: SBX_FAULT_ROUNDS (120)
verbs by 8 workers. No command hangs, none ends with a crash, states are true, and afterwards nothing is left: no process, no file, no name.

The seed is printed; SBX_FAULT_SEED repeats one."""
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, images, need, processes, wait_until  # noqa: E402

ROUNDS = int(os.environ.get("SBX_FAULT_ROUNDS", "120"))
WORKERS = 8
NAMES = [f"box{number}" for number in range(5)]
COMMAND = "trap 'exit 3' TERM; echo started; echo x >>/count; while true; do sleep 0.1; done"
# As often as they stand there.
VERBS = ["run", "run", "run", "start", "start", "stop", "kill", "rm", "rm -f", "ps", "logs", "exec", "create", "wait", "foreground", "restart -t 0", "pause", "unpause",
         "rename", "cp", "cp in", "attach", "inspect", "top", "stats --no-stream", "prune", "fault", "fault", "fault"]
KINDS = [[], ["--rm"], ["--rm", "--net=none"], ["--restart=always"], ["--health-cmd=true", "--health-interval=100ms"], ["-v=volume:/data"], ["--rm", "-v=/data"]]
LATEST = 60  # seconds that a command may take
KNOWN_CODES = {-signal.SIGKILL, 0, 1, 3, 124, 125, 126, 127, 128 + signal.SIGKILL, 128 + signal.SIGTERM, 255}


class Storm:
    def __init__(self, place: Workspace, seed: int):
        self.place = place
        self.seed = seed
        self.complaints: list[str] = []
        self.done: dict[str, int] = {}
        self.containers = place.root / "home/.local/share/sbx/containers"

    def call(self, *words: str, last: float = 0) -> subprocess.CompletedProcess | None:
        """`last`: seconds after which the command is told to end; 0: not."""
        ending = ["timeout", str(last)] if last else []
        try:
            ran = subprocess.run([*ending, "sbx", *words], env=self.place.environment, cwd=self.place.work, text=True, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=LATEST, check=False)
        except subprocess.TimeoutExpired:
            self.complaints.append(f"hangs: sbx {' '.join(words)}")
            return None
        self.done[words[0]] = self.done.get(words[0], 0) + 1
        told = words[0] == "attach" or ran.stderr.startswith("sbx: ")  # attach ends with the container's code, which may be ours
        if ran.returncode not in KNOWN_CODES or (ran.returncode == 125 and not told):
            self.complaints.append(f"sbx {' '.join(words)}: exit code {ran.returncode}: {ran.stderr[-300:]}")
        return ran

    def kill_one(self, dice: random.Random) -> None:
        """A supervisor, or what serves a container its file system or network, whatever it is doing."""
        ours = [pid for pid, (_, words) in processes().items() if self.is_ours(pid, words)]
        if ours:
            try:
                os.kill(dice.choice(ours), signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass

    def is_ours(self, pid: int, words: str) -> bool:
        if words.startswith(("sbx: fs ", "sbx: net ")):
            return any(self.containers.glob(words.split()[2] + "*"))
        try:
            return words.startswith("sbx") and str(self.place.root).encode() in Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False

    def one(self, dice: random.Random) -> None:
        name = dice.choice(NAMES)
        verb = dice.choice(VERBS)
        if verb == "run":
            self.call("run", "-d", *dice.choice(KINDS), "--name", name, "small", "sh", "-c", COMMAND)
        elif verb == "create":
            self.call("create", "--name", name, "small", "sh", "-c", COMMAND)
        elif verb == "foreground":
            self.call("run", "--rm", "small", "true")
        elif verb == "stop":
            self.call("stop", "-t", dice.choice(["0", "1"]), name)
        elif verb == "exec":
            self.call("exec", name, "cat", "/count")
        elif verb == "rename":
            self.call("rename", name, dice.choice(NAMES))
        elif verb == "cp":
            self.call("cp", f"{name}:/count", "-")
        elif verb == "cp in":
            self.call("cp", sys.argv[0], f"{name}:/copied")
        elif verb == "attach":
            self.call("attach", "--no-stdin", "--sig-proxy=false", name, last=0.5)
        elif verb == "prune":
            self.call("container", "prune", "--force")
        elif verb == "wait":
            threading.Timer(0.5, self.call, ["kill", name]).start()
            time.sleep(0.2)
        elif verb == "ps":
            self.check_states(self.call("ps", "-a", "--format", "json"))
        elif verb == "fault":
            self.kill_one(dice)
        else:
            self.call(*verb.split(), name)

    def check_states(self, listed: subprocess.CompletedProcess | None) -> None:
        for each in json.loads(listed.stdout) if listed and listed.returncode == 0 else []:
            runs = each["State"] in ("running", "paused")
            if each["State"] not in ("created", "running", "paused", "restarting", "exited") or runs != (each["Pid"] != 0):
                self.complaints.append(f"a state that cannot be: {each}")

    def work(self, number: int) -> None:
        dice = random.Random(self.seed * WORKERS + number)
        for _ in range(ROUNDS // WORKERS):
            self.one(dice)

    def run(self) -> None:
        workers = [threading.Thread(target=self.work, args=(number,)) for number in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        time.sleep(0.6)  # the last timers


def left_files(place: Workspace) -> list[str]:
    data = place.root / "home/.local/share/sbx"
    found = [str(path.relative_to(data)) for folder in ("containers", "names", "volumes") for path in (data / folder).glob("*")]
    return [path for path in found if path != "volumes/volume"]


def main() -> None:
    need("userns", "fuse", "net", "tool:umoci", "tool:skopeo")
    seed = int(os.environ.get("SBX_FAULT_SEED", random.randrange(10 ** 6)))
    print(f"seed {seed}")
    with Workspace("lifecycle_faults") as place:
        loaded = place.sbx("load", f"oci:{images()}/small:latest")
        if loaded.code != 0:
            sys.exit(str(loaded))
        storm = Storm(place, seed)
        storm.run()
        # Whatever is there can be used, ended and removed.
        for name in NAMES:
            if storm.call("start", name).returncode == 0:
                if (said := storm.call("exec", name, "echo", "alive")).stdout != "alive\n":
                    storm.complaints.append(f"{name} was started, and: {said}")
        removed = storm.call("rm", "-f", "-a")
        # Each run sweeps. What has neither state nor lock is about to be made, for all that a sweep knows: it waits for ten seconds.
        if removed is None or removed.returncode != 0 or not wait_until(
                lambda: storm.call("run", "--rm", "small", "true") and not left_files(place), 25, 0.5):
            storm.complaints.append(f"left after 'rm -f -a': {left_files(place)}: {removed}")
        if not wait_until(lambda: not place.left(), 10):
            storm.complaints.append(f"processes left: {place.left()}")
        checked = storm.call("system", "check")
        if checked is None or checked.returncode != 0:
            storm.complaints.append(f"system check: {checked}")
        print(", ".join(f"{count} {verb}" for verb, count in sorted(storm.done.items())))
        sys.exit("\n".join(storm.complaints) or 0)


if __name__ == "__main__":
    main()
