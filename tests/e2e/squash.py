#!/usr/bin/env python3
"""SIF and squashfs files run where they lie: every path of a squashfs of each compression is in the sandbox what unsquashfs
makes of it; what apptainer and enroot put into their images is done; files that changed, are cut, for other machines,
encrypted or damaged are told apart.

squash.py trees|images|faults|save"""
import json
import os
import platform
import random
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import tree  # noqa: E402
from harness import Workspace, full_ids, images, need  # noqa: E402
from sif_writer import (ARCHITECTURES, DEFFILE, ENCRYPTED, EXT3, JSON, OCI_INDEX, OVERLAY,  # noqa: E402
                        partition, write_sif)

HERE = ARCHITECTURES[platform.machine()]
MAKE_TREE = r"""set -e
cd "$1"
mkdir many deep; i=0
while [ $i -lt 3000 ]; do echo "small file $i" >many/file-$i; i=$((i + 1)); done
head -c 5000001 /dev/urandom >random
yes 'the same line again' | head -c 3000000 >dull
truncate -s 40M sparse; printf middle | dd of=sparse bs=1 seek=20000000 conv=notrunc status=none; printf end >>sparse
truncate -s 1M only-holes; : >empty
head -c 131072 random >one-block; head -c 131073 random >one-block-more
ln many/file-1 many/linked; ln many/file-1 deep/linked; ln -s ../many/file-2 deep/symlink; ln random deep/random
mkfifo deep/fifo
setfattr -n user.first -v one many/file-3; setfattr -n user.second -v "$(head -c 2000 dull | tr '\n' ' ')" many/file-3
setfattr -n user.second -v "$(head -c 2000 dull | tr '\n' ' ')" many/file-4; setfattr -n user.dir -v x deep
chmod 4755 many/file-5; chmod 0 many/file-6; touch -d 1999-01-02T03:04:05 many/file-7
touch ".wh.not-a-whiteout"
name=$(printf '%0250d' 7); touch "deep/$name"
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("deep/socket")'
"""
VARIANTS = {"gzip": ("-comp", "gzip"), "zstd": ("-comp", "zstd", "-Xcompression-level", "3", "-b", "1M"),
            "xz": ("-comp", "xz", "-Xbcj", "x86"), "lz4": ("-comp", "lz4", "-b", "4K"),
            "plain": ("-noI", "-noD", "-noF", "-noX"), "no-fragments": ("-no-fragments", "-no-exports", "-b", "16K"),
            "tails": ("-always-use-fragments", "-b", "64K")}


def check(holds: bool, what: str, outcome=None) -> None:
    if not holds:
        sys.exit(f"{what}: {outcome}")
    print(f"{what}: ok")


def squash(place: Workspace, folder: Path, file: Path, *options: str) -> Path:
    file.unlink(missing_ok=True)
    made = tree.in_user_namespace(place, "mksquashfs", str(folder), str(file), "-noappend", "-quiet", "-no-progress", *options)
    check(made.code == 0, f"mksquashfs {' '.join(options)}", made)
    return file


def small_image(place: Workspace, name: str = "root") -> Path:
    """The root file system of the small test image, as this user can unpack it."""
    tree.unpack(place, f"{images()}/small:latest", place.work / f"{name}-bundle")
    return place.work / f"{name}-bundle/rootfs"


def put(place: Workspace, root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        script = 'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod 755 "$1"'
        made = place.run("unshare", "--map-root-user", *(["--map-auto"] if full_ids() else []), "sh", "-c", script, "sh",
                         root / path.lstrip("/"), input_bytes=text.encode())
        check(made.code == 0, f"write {path}", made)


# ---- every path ------------------------------------------------------------------------------------------------------
def trees(place: Workspace) -> None:
    root = small_image(place)
    made = tree.in_user_namespace(place, "sh", "-c", MAKE_TREE, "sh", str(root))
    check(made.code == 0, "a tree with everything", made)
    for name, options in VARIANTS.items():
        file = squash(place, root, place.work / f"{name}.sqsh", *options)
        out = place.work / name / "out"
        out.parent.mkdir()
        # In single-id mode mksquashfs notes 65534 for what the namespace does not map: compared without owners then.
        unpacked = tree.in_user_namespace(place, "unsquashfs", "-no-progress", "-q", "-d", str(out), str(file))
        check(unpacked.code in (0, 2), f"unsquashfs {name}", unpacked)
        wanted = tree.list_outside(place, out)
        tree.compare(place, wanted, tree.list_inside(place, str(file)), tree.OWN, 3000, full_ids())
        tree.in_user_namespace(place, "rm", "-rf", str(out.parent))
        file.unlink()
    write_and_read(place, squash(place, root, place.work / "gzip.sqsh"))


def write_and_read(place: Workspace, file: Path) -> None:
    """A changed copy has the old bytes where nothing was written; the file itself stays as it is."""
    before = file.read_bytes()
    script = ("sha256sum </random; printf X | dd of=/random bs=1 seek=4000000 conv=notrunc 2>/dev/null; "
              "dd if=/random bs=1000000 count=4 2>/dev/null | sha256sum; printf more >>/sparse; dd if=/sparse bs=1 skip=20000000 "
              "count=6 2>/dev/null; stat -c ' %s' /sparse; echo gone >/many/file-1; cat /deep/linked; rm /dull; ls /dull")
    wanted = place.run("sh", "-c", f"cd {place.work}/root-bundle/rootfs && sha256sum <random && head -c 4000000 random | sha256sum")
    run = place.sbx("run", "--rm", "--net", "none", "--overlay=fuse", f"sqsh:{file}", "sh", "-c", script)
    check(run.out == wanted.out + "middle 41943047\ngone\n", "copy-up", (run, wanted))
    check(file.read_bytes() == before, "the file is as it was")


# ---- what the images say ---------------------------------------------------------------------------------------------
def apptainer(place: Workspace) -> None:
    root = small_image(place, "sif")
    put(place, root, {"/.singularity.d/env/10-docker2singularity.sh": 'export FROM_IMAGE="one two"\n',
                      "/.singularity.d/env/90-environment.sh": 'export SECOND="$FROM_IMAGE three"\nfalse\n',
                      "/.singularity.d/runscript": '#!/bin/sh\necho "runscript $SECOND $#"\n'})
    data = squash(place, root, place.work / "root.squashfs").read_bytes()
    sif = place.work / "image.sif"
    write_sif(sif, [{"type": DEFFILE, "name": "deffile", "data": b"bootstrap: docker\n"},
                    partition(b"overlay", HERE, EXT3, OVERLAY), partition(data, HERE)])
    for name in ("./image.sif", "sif:image.sif", str(sif)):
        run = place.sbx("run", "--rm", name)
        check((run.code, run.out) == (0, "runscript one two three 0\n"), f"runscript of {name}", run)
    run = place.sbx("run", "--rm", "--env", "FROM_USER=x", sif, "sh", "-c", 'echo "$SECOND/$FROM_USER/$1"; exit 5', "sh", "word")
    check((run.code, run.out) == (5, "one two three/x/word\n"), "a command has the image's environment", run)
    run = place.sbx("run", "--rm", sif, "not-there")
    check(run.code == 127, "a command that is not there", run)
    run = place.sbx("run", "--rm", "--entrypoint", "/bin/echo", sif, "plain")
    check((run.code, run.out) == (0, "plain\n"), "--entrypoint", run)
    run = place.sbx("shell", sif, "sh", "-c", 'echo "in $SECOND"; id -u')
    check((run.code, run.out) == (0, f"in one two three\n{os.getuid()}\n"), "shell", run)


def enroot(place: Workspace) -> None:
    root = small_image(place, "sqsh")
    put(place, root, {"/etc/rc": "mkdir -p /data; cd /data && unset OLDPWD || exit 1\n"
                                 'if [ $# -gt 0 ]; then exec echo entry "$@"; else exec sh -c \'echo "$GREETING in $PWD"\'; fi\n',
                      "/etc/environment": "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n# not this\nGREETING=good day\nnonsense\n"})
    file = squash(place, root, place.work / "enroot.sqsh")
    run = place.sbx("run", "--rm", file)
    check((run.code, run.out) == (0, "good day in /data\n"), "/etc/rc", run)
    run = place.sbx("run", "--rm", file, "a", "b c")
    check((run.code, run.out) == (0, "entry a b c\n"), "/etc/rc with a command", run)
    run = place.sbx("run", "--rm", "--entrypoint", "sh", file, "-c", 'echo "$GREETING"')
    check((run.code, run.out) == (0, "good day\n"), "/etc/environment", run)


def export(place: Workspace) -> None:
    """A container over a squashfs goes out as a tar, as long as the file is as it was."""
    file = place.work / "enroot.sqsh"
    ran = place.sbx("run", "--net", "none", "--name", "over-squash", "--entrypoint", "sh", file, "-c", "echo new >/new; rm /etc/rc")
    check(ran.code == 0, "a container that stays", ran)
    written = place.sbx("export", "-o", "tree.tar", "over-squash")
    check((written.code, written.err) == (0, ""), "export", written)
    with tarfile.open(place.work / "tree.tar") as tar:
        names = tar.getnames()
        same = tar.extractfile("bin/busybox").read() == Path("/bin/busybox").read_bytes()
        check(same and tar.extractfile("new").read() == b"new\n" and "etc/rc" not in names, "what is in it", len(names))
    os.utime(file)
    written = place.sbx("export", "-o", "late.tar", "over-squash")
    check(written.code == 125 and "not the file any more" in written.err, "the file has changed", written)


def oci_config(place: Workspace) -> None:
    """Made from an OCI image that has no shell: its configuration says what is run."""
    root = place.work / "bare"
    (root / "bin").mkdir(parents=True)
    (root / "bin/echo").write_bytes(Path("/bin/busybox").read_bytes())
    (root / "bin/echo").chmod(0o755)
    data = squash(place, root, place.work / "bare.squashfs", "-all-root").read_bytes()
    config = {"Entrypoint": ["/bin/echo"], "Cmd": ["hello"], "Env": ["A=b"], "WorkingDir": "/bin"}
    write_sif(place.work / "bare.sif", [{"type": JSON, "name": "oci-config.json", "data": json.dumps(config).encode()},
                                        partition(data, HERE)])
    run = place.sbx("run", "--rm", "bare.sif")
    check((run.code, run.out) == (0, "hello\n"), "the OCI configuration", run)
    run = place.sbx("run", "--rm", "bare.squashfs")
    check(run.code == 125 and "command" in run.err, "a squashfs that says nothing needs a command", run)


# ---- what goes wrong -------------------------------------------------------------------------------------------------
def refused(place: Workspace, file: Path, words: str, *options: str) -> None:
    run = place.sbx("run", "--rm", *options, file, "true")
    check(run.code == 125 and words in run.err, f"{file.name}: {words}", run)


def store_files(place: Workspace) -> tuple[int, int]:
    store = place.root / "home/.local/share/sbx/store"
    return len(list((store / "tree").iterdir())), len(list((store / "squashed").iterdir()))


def faults(place: Workspace) -> None:
    root = small_image(place)
    file = squash(place, root, place.work / "good.sqsh")
    data, sif = file.read_bytes(), place.work / "bad.sif"
    other = next(code for code in ARCHITECTURES.values() if code != HERE)
    write_sif(sif, [partition(data, other)])
    refused(place, sif, "it is for ")
    write_sif(sif, [partition(data, HERE, ENCRYPTED)])
    refused(place, sif, "encrypted")
    write_sif(sif, [partition(data, HERE, EXT3)])
    refused(place, sif, "ext3")
    write_sif(sif, [partition(data, HERE), partition(data, HERE)])
    refused(place, sif, "two primary partitions")
    write_sif(sif, [{"type": OCI_INDEX, "data": b"{}"}])
    refused(place, sif, "OCI-SIF")
    write_sif(sif, [partition(data, HERE)], version="99")
    refused(place, sif, "version is 99")
    write_sif(sif, [partition(data, HERE)])
    sif.write_bytes(sif.read_bytes()[:-8192])
    refused(place, sif, "is it complete")
    sif.write_bytes(sif.read_bytes()[:1000])
    refused(place, sif, "is it complete")
    sif.write_bytes(b"no image at all" * 100)
    refused(place, sif, "does not begin as a squashfs does")
    cut = place.work / "cut.sqsh"
    cut.write_bytes(data[:len(data) // 2])
    refused(place, cut, "bytes, ")
    refused(place, place.work / "absent.sqsh", "No such file")
    (place.work / "folder.sqsh").mkdir()
    refused(place, place.work / "folder.sqsh", "not a regular file")
    refused(place, file, "does not come from a registry", "--pull=always")
    refused(place, file, "does not say what it is for", "--platform=linux/amd64")
    changes(place, file, root)
    damaged(place, data)
    without_library(place, root)
    damaged_tree(place, data)
    of_another(place, data)


def without_library(place: Workspace, root: Path) -> None:
    """A run of a file that has been read before wants libsquashfs no sooner than its file system does."""
    file = squash(place, root, place.work / "needs.sqsh", "-comp", "zstd")
    (place.work / "lib").mkdir()
    (place.work / "lib/libsquashfs.so.1").write_bytes(b"")
    check(place.sbx("run", "--rm", file, "true").code == 0, "with libsquashfs")
    run = place.run("env", f"LD_LIBRARY_PATH={place.work}/lib", "sbx", "run", "--rm", file, "true")
    check(run.code == 125 and "install libsquashfs" in run.err, "without libsquashfs", run)
    file.unlink()


def damaged_tree(place: Workspace, data: bytes) -> None:
    file = place.work / "whole.sqsh"
    file.write_bytes(data)
    check(place.sbx("run", "--rm", file, "true").code == 0, "a whole file")
    place.sbx("image", "prune", "--force")
    only, = (place.root / "home/.local/share/sbx/store/tree").iterdir()
    only.chmod(0o600)
    bytes_of_tree = bytearray(only.read_bytes())
    bytes_of_tree[len(bytes_of_tree) // 2] ^= 1
    only.write_bytes(bytes_of_tree)
    found = place.sbx("system", "check")
    check(found.code == 1 and str(file) in found.out + found.err, "a damaged tree is found", found)
    mended = place.sbx("system", "check", "--repair")
    check("makes it anew" in mended.out + mended.err, "and removed", mended)
    check(place.sbx("system", "check").code == 0, "then all is well")
    check(place.sbx("run", "--rm", file, "true").code == 0, "the next run makes it anew")
    file.unlink()


def of_another(place: Workspace, data: bytes) -> None:
    """What may be read may be run, whoever owns it."""
    if not full_ids():
        return
    file = place.work / "of-another.sqsh"
    file.write_bytes(data)
    given = place.run("unshare", "--map-root-user", "--map-auto", "sh", "-c", 'chown 5:6 "$1" && chmod 644 "$1"', "sh", file)
    check(given.code == 0 and file.stat().st_uid != os.getuid(), "a file of another user", given)
    run = place.sbx("run", "--rm", file, "stat", "-c", "%u:%g", "/bin")
    check((run.code, run.out) == (0, "0:0\n"), "runs", run)


def changes(place: Workspace, file: Path, root: Path) -> None:
    """Another file of the same name gets a tree of its own; 'image prune' takes those that have no file any more."""
    file.chmod(0o444)
    check(place.sbx("run", "--rm", file, "cat", "/new").code == 1, "first use")
    trees_before = store_files(place)
    check(place.sbx("run", "--rm", file, "true").code == 0 and store_files(place) == trees_before, "second use makes nothing")
    put(place, root, {"/new": "new\n"})
    squash(place, root, file)
    run = place.sbx("run", "--rm", file, "cat", "/new")
    check((run.code, run.out) == (0, "new\n"), "a changed file is read anew", run)
    moved = file.rename(place.work / "moved.sqsh")
    check(place.sbx("run", "--rm", moved, "true").code == 0, "moved")
    check(place.sbx("image", "prune", "--force").code == 0, "image prune")
    check(store_files(place) == (1, 1) or store_files(place) == (0, 0), "trees of files that are gone are gone", store_files(place))
    run = place.sbx("run", "--rm", moved, "cat", "/new")
    check((run.code, run.out) == (0, "new\n"), "after pruning", run)
    moved.unlink()
    place.sbx("image", "prune", "--force")
    check(store_files(place) == (0, 0), "pruned", store_files(place))
    check(place.sbx("system", "check").code == 0, "system check")


def damaged(place: Workspace, data: bytes) -> None:
    """Bytes changed anywhere: it runs, or says why not; it is never killed by a signal and never hangs."""
    chance = random.Random(20)
    file = place.work / "damaged.sqsh"
    codes = set()
    for number in range(40):
        changed = bytearray(data)
        for _ in range(1 + number % 4):
            # Half of them in the superblock and the tables at the end.
            at = chance.choice([chance.randrange(96), chance.randrange(len(data) * 19 // 20, len(data)), chance.randrange(len(data))])
            changed[at] ^= 1 << chance.randrange(8)
        file.write_bytes(changed)
        run = place.sbx("run", "--rm", "--net", "none", file, "/bin/busybox", "true", timeout=30)
        codes.add(run.code)
        if run.code not in (0, 1, 125, 126, 127) and not (run.code or 0) >= 128:
            sys.exit(f"damaged file {number}: {run}")
        if "sbx-transfer" in run.err:
            sys.exit(f"damaged file {number} killed sbx-transfer: {run}")
    check(codes >= {0, 125}, "damaged files", codes)


# ---- writing one ------------------------------------------------------------------------------------------------------
def save(place: Workspace) -> None:
    """What is written has every path of the image, for unsquashfs and in a sandbox; and how it is run."""
    layout = f"{images()}/small:latest"
    loaded = place.sbx("load", f"oci:{layout}", "--tag", "small:1")
    check(loaded.code == 0, "load", loaded)
    tree.unpack(place, layout, place.work / "image-bundle")
    wanted = tree.list_outside(place, place.work / "image-bundle/rootfs")
    skip = [*tree.OWN, *tree.IMPLICIT, "/etc/rc", "/etc/environment"]
    for number, options in enumerate(((), ("--compress", "gzip"), ("--compress", "none"))):
        file = place.work / f"saved-{number}.sqsh"
        saved = place.sbx("save", "--format", "sqsh", *options, "-o", file, "small:1")
        check(saved.code == 0, f"save {' '.join(options)}", saved)
        out = place.work / f"{number}-bundle/out"
        out.parent.mkdir()
        unpacked = tree.in_user_namespace(place, "unsquashfs", "-no-progress", "-q", "-d", str(out), str(file))
        check(unpacked.code in (0, 2), "unsquashfs", unpacked)
        # A squashfs has no parts of seconds. Who may not give files away, unsquashfs gives other modes.
        owners = "mtime" if full_ids() else "mtime,uid,gid"
        for listing, without in ((tree.list_outside(place, out), owners if full_ids() else f"{owners},mode"),
                                 (tree.list_inside(place, str(file)), owners)):
            same = place.run(tree.SUPPORT / "compare_tree.py", wanted, listing, "--least", "150", "--without",
                             without, *(word for path in skip for word in ("--skip", path)))
            check(same.code == 0, same.out[-500:].strip(), same)
    again, piped = place.work / "again.sqsh", place.work / "piped.sqsh"
    place.sbx("save", "--format", "sqsh", "-o", again, "small:1")
    place.run("sh", "-c", f"sbx save --format sqsh small:1 | cat >{piped}")
    first = (place.work / "saved-0.sqsh").read_bytes()
    check(again.read_bytes() == first and piped.read_bytes() == first, "the same image makes the same bytes")
    run = place.sbx("run", "--rm", again, "sh", "-c", 'echo "$GREETING"')
    check((run.code, run.out) == (0, "hello world\n"), "its environment", run)
    run = place.sbx("run", "--rm", "-i", again, input_bytes=b"echo from the default command; exit 3\n")
    check((run.code, run.out) == (3, "from the default command\n"), "its command", run)
    two = place.sbx("save", "--format", "sqsh", "-o", place.work / "two.sqsh", "small:1", "small:1")
    check(two.code == 125 and "one image" in two.err and not (place.work / "two.sqsh").exists(), "two images", two)


def main() -> None:
    need("userns", "fuse", "tool:mksquashfs", "tool:unsquashfs", "tool:umoci", "tool:skopeo")
    which = sys.argv[1]
    with Workspace(f"squash-{which}") as place:
        if which == "trees":
            trees(place)
        elif which == "images":
            apptainer(place)
            enroot(place)
            export(place)
            oci_config(place)
        elif which == "save":
            save(place)
        else:
            faults(place)
        # Not all in it is this user's own.
        tree.in_user_namespace(place, "sh", "-c", 'rm -rf "$1"/*-bundle', "sh", str(place.work))


if __name__ == "__main__":
    main()
