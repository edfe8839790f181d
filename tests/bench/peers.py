"""What the benchmarks share: who runs them, the root file systems, and how each contestant is called.

Started by root, a benchmark runs the contestants as the user $SBX_BENCH_USER (sbx-test-a, made by tools/test), in a mount
namespace without the unified cgroup hierarchy: crun refuses a machine that has both kinds, even with its cgroup manager off."""
import getpass
import json
import os
import pwd
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).resolve().parents[2]
SBX = Path(os.environ.get("SBX", TOP / "build/sbx"))
APPLETS = ["sh", "true", "sleep", "cat", "ls", "ip", "id"]
USER = os.environ.get("SBX_BENCH_USER", "sbx-test-a")  # who runs the contestants if we are root
CAPABILITIES = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"]


def need(*programs: str) -> None:
    missing = [program for program in programs if not shutil.which(program)]
    if missing or not SBX.exists():
        sys.exit(f"missing: {' '.join(missing) or SBX} (tools/setup bench; tools/try)")


class BenchUser(NamedTuple):
    uid: int
    gid: int
    home: Path
    environment: dict[str, str]

    @property
    def prefix(self) -> list[str]:
        """In front of a command, for root: runs it as this user."""
        return ["setpriv", "--reuid", str(self.uid), "--regid", str(self.gid), "--init-groups", "env", "-i",
                *(f"{name}={value}" for name, value in self.environment.items())]


def bench_user() -> BenchUser:
    """The ordinary user, for root; with a home."""
    entry = pwd.getpwnam(USER)
    home = Path(f"/var/tmp/sbx-bench-{entry.pw_uid}")
    for folder in (home, home / "run"):
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    return BenchUser(entry.pw_uid, entry.pw_gid, home, {
        "HOME": str(home), "USER": USER, "LOGNAME": USER, "XDG_RUNTIME_DIR": str(home / "run"), "SBX": str(SBX),
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"})


def become_user() -> None:
    """Returns as an ordinary user; as root, starts this program again as one."""
    if os.getuid() != 0:
        return
    user = bench_user()
    script = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"'
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", *user.prefix, "/usr/bin/python3",
                          *sys.argv])


def run(*command, **options) -> str:
    return subprocess.run([str(word) for word in command], check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def accept_all_images() -> None:
    """podman pulls nothing without a policy."""
    configuration = Path(os.environ["HOME"]) / ".config/containers"
    configuration.mkdir(parents=True, exist_ok=True)
    (configuration / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')


class Small:
    """A busybox root file system for everybody: a folder, a crun bundle, an image of sbx and one of podman."""

    def __init__(self, with_podman: bool = True):
        self.folder = Path(os.environ["HOME"]) / "small"
        self.root = self.folder / "rootfs"
        self.podman = ["podman", "--root", str(self.folder / "podman"), "--runroot", os.environ["XDG_RUNTIME_DIR"] + "/podman",
                       "--storage-driver", "overlay", "--storage-opt", "overlay.mount_program=/usr/bin/fuse-overlayfs",
                       "--cgroup-manager=cgroupfs", "--events-backend=file", "--log-level=error", "--runtime=crun"]
        self.podman_run = ["run", "--rm", "--cgroups=disabled", "--log-driver=k8s-file", "--network=slirp4netns"]
        if not self.root.exists():
            self._make_root()
        run(SBX, "load", "--tag", "small", f"oci:{self._layout()}:small")
        if with_podman:
            self._load_podman()

    def _make_root(self) -> None:
        making = self.folder / "making"
        shutil.rmtree(making, ignore_errors=True)
        for name in ("bin", "etc", "proc", "sys", "dev", "tmp", "run", "root", "var"):
            (making / name).mkdir(parents=True)
        shutil.copy2(shutil.which("busybox"), making / "bin/busybox")
        for applet in APPLETS:
            (making / "bin" / applet).symlink_to("busybox")
        (making / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (making / "etc/group").write_text("root:x:0:\n")
        for name in ("hosts", "hostname", "resolv.conf"):
            (making / "etc" / name).touch()
        with tarfile.open(self.folder / "small.tar", "w") as archive:
            archive.add(making, arcname="", filter=self._as_root)
        making.rename(self.root)

    @staticmethod
    def _as_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        return info

    def _layout(self) -> Path:
        layout = self.folder / "oci"
        if not layout.exists():
            run("umoci", "init", "--layout", layout)
            run("umoci", "new", "--image", f"{layout}:small")
            run("umoci", "raw", "add-layer", "--image", f"{layout}:small", self.folder / "small.tar")
            run("umoci", "config", "--image", f"{layout}:small", "--config.cmd", "/bin/sh", "--config.env", "PATH=/bin")
        return layout

    def _load_podman(self) -> None:
        accept_all_images()
        if subprocess.run([*self.podman, "image", "exists", "small"], check=False, stderr=subprocess.DEVNULL).returncode:
            run(*self.podman, "import", "-q", self.folder / "small.tar", "small")

    def bundle(self, *command: str) -> Path:
        """A crun bundle: all namespaces, one id, no cgroups, no overlay, no network configured."""
        folder = self.folder / "bundle"
        folder.mkdir(exist_ok=True)

        def mount(destination, kind, *options):
            return {"destination": destination, "type": kind, "source": kind, "options": list(options)}
        quiet = ("nosuid", "noexec", "nodev")
        (folder / "config.json").write_text(json.dumps({
            "ociVersion": "1.0.0", "hostname": "crun", "root": {"path": str(self.root), "readonly": False},
            "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": list(command), "cwd": "/", "env": ["PATH=/bin"],
                        "noNewPrivileges": True, "capabilities": {each: CAPABILITIES for each in ("bounding", "effective", "permitted")}},
            "mounts": [mount("/proc", "proc"), mount("/dev", "tmpfs", "nosuid", "mode=755", "size=65536k"),
                       mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"),
                       mount("/dev/shm", "tmpfs", *quiet, "mode=1777"), mount("/dev/mqueue", "mqueue", *quiet),
                       mount("/sys", "sysfs", *quiet, "ro")],
            "linux": {"uidMappings": [{"containerID": 0, "hostID": os.getuid(), "size": 1}],
                      "gidMappings": [{"containerID": 0, "hostID": os.getgid(), "size": 1}],
                      "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "user", "mount")],
                      "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
                      "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]}}))
        return folder


def machine() -> str:
    load = Path("/proc/loadavg").read_text().split()[0]
    return f"{os.cpu_count()} processors, load {load}, Linux {os.uname().release}, as {getpass.getuser()}"
