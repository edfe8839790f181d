#!/usr/bin/env python3
"""Images of other tools, loaded by sbx-transfer and compared with what umoci unpacks; and damaged ones.

usage: load_images.py SBX_TRANSFER TREE_DUMP
Needs umoci and skopeo. As root owners, devices and privileged xattrs are compared too; an ordinary user's umoci
(--rootless) cannot set them.
"""
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import tempfile
import time

ROOT_USER = os.geteuid() == 0
FAILED = 125


def run(*args, **kwargs):
    return subprocess.run(args, check=True, capture_output=True, text=True, **kwargs).stdout


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Layout:
    """An OCI image layout written by hand: for what no tool writes."""

    def __init__(self, path):
        self.path = path
        os.makedirs(os.path.join(path, "blobs/sha256"))
        self.write("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')

    def write(self, name, data):
        with open(os.path.join(self.path, name), "wb") as f:
            f.write(data)

    def blob(self, data, media_type, **more):
        if not isinstance(data, bytes):
            data = json.dumps(data).encode()
        digest = sha256(data)
        self.write("blobs/sha256/" + digest[7:], data)
        return {"mediaType": media_type, "digest": digest, "size": len(data), **more}

    def index(self, *entries):
        self.write("index.json", json.dumps({"schemaVersion": 2, "manifests": entries}).encode())

    def image(self, *tars, architecture="amd64", **more):
        config = self.blob({"architecture": architecture, "os": "linux", "config": {"Cmd": ["sh"]},
                            "rootfs": {"type": "layers", "diff_ids": [sha256(t) for t in tars]}},
                           "application/vnd.oci.image.config.v1+json")
        layers = [self.blob(t, "application/vnd.oci.image.layer.v1.tar") for t in tars]
        return self.blob({"schemaVersion": 2, "config": config, "layers": layers},
                         "application/vnd.oci.image.manifest.v1+json", **more)


def tar_of(*members):
    """(name, type, content or target) as an uncompressed tar."""
    import io
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for name, kind, value in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            data = value if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            info.mode = 0o755
            if kind in (tarfile.LNKTYPE, tarfile.SYMTYPE):
                info.linkname = value
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Test:
    def __init__(self, transfer, tree_dump, work):
        self.transfer, self.tree_dump, self.work = transfer, tree_dump, work
        self.failed = 0
        self.roots = 0

    def new_root(self):
        self.roots += 1
        return os.path.join(self.work, f"root{self.roots}")

    def report(self, name, problems):
        print(f"{'FAIL' if problems else 'ok  '} {name}", flush=True)
        for line in problems[:10]:
            print(f"     {line}")
        self.failed += bool(problems)

    def load(self, root, source, *more):
        done = subprocess.run([self.transfer, "load", "--root", root, *more, source], capture_output=True, text=True)
        try:
            return done.returncode, json.loads(done.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            return done.returncode, {"error": {"reason": done.stdout + done.stderr, "code": "?"}}

    def dump(self, root, image):
        lines = run(self.tree_dump, root, image).splitlines()
        return {bytes.fromhex(e["path"]): e for e in map(json.loads, lines)}

    # --- comparison with umoci -------------------------------------------------------------------------------

    def make_images(self):
        """An image of four layers: whiteouts, hard links across them, replaced kinds, odd files."""
        layout, bundle = os.path.join(self.work, "oci"), os.path.join(self.work, "bundle")
        flags = [] if ROOT_USER else ["--rootless"]
        run("umoci", "init", "--layout", layout)
        run("umoci", "new", "--image", layout + ":test")

        def change(how):
            run("umoci", "unpack", *flags, "--image", layout + ":test", bundle)
            how(os.path.join(bundle, "rootfs"))
            run("umoci", "repack", "--image", layout + ":test", bundle)
            shutil.rmtree(bundle)

        change(self.first_layer)
        change(self.second_layer)
        change(self.third_layer)
        run("umoci", "config", "--image", layout + ":test", "--config.cmd", "/bin/sh", "--config.env", "A=b")
        return layout

    @staticmethod
    def first_layer(root):
        for d in ("bin", "usr/lib", "var/lib/gone", "etc", "opt/replaced", "tmp"):
            os.makedirs(os.path.join(root, d))
        os.chmod(os.path.join(root, "tmp"), 0o1777)
        for i in range(300):
            with open(os.path.join(root, "usr/lib", f"file{i}"), "wb") as f:
                f.write(os.urandom(i * 37 % 5000))
        with open(os.path.join(root, "bin/tool"), "wb") as f:
            f.write(b"#!/bin/sh\n" * 100)
        os.chmod(os.path.join(root, "bin/tool"), 0o4755)
        os.link(os.path.join(root, "bin/tool"), os.path.join(root, "bin/same"))
        os.symlink("usr/lib", os.path.join(root, "lib"))
        os.symlink("/nowhere/" + "x" * 200, os.path.join(root, "dangling"))
        os.mkfifo(os.path.join(root, "fifo"))
        with open(os.path.join(root, "etc/caf\u00e9 \u2603"), "w") as f:
            f.write("name")
        with open(os.path.join(root, "var/lib/gone/x"), "w") as f:
            f.write("gone")
        with open(os.path.join(root, "opt/replaced/by-file"), "w") as f:
            f.write("x")
        long = os.path.join(root, "a" * 120, "b" * 120, "c" * 200)
        os.makedirs(os.path.dirname(long))
        open(long, "w").close()
        with open(os.path.join(root, "sparse"), "wb") as f:
            f.seek(3_000_000)
            f.write(b"end")
        if ROOT_USER:
            os.chown(os.path.join(root, "etc"), 1234, 4321)
            os.mknod(os.path.join(root, "null"), 0o20666, os.makedev(1, 3))
            os.lchown(os.path.join(root, "lib"), 77, 88)
        try:
            os.setxattr(os.path.join(root, "etc"), "user.test", b"\0\1value")
        except OSError:
            pass

    @staticmethod
    def second_layer(root):
        shutil.rmtree(os.path.join(root, "var/lib/gone"))
        os.unlink(os.path.join(root, "usr/lib/file7"))
        shutil.rmtree(os.path.join(root, "opt/replaced"))
        with open(os.path.join(root, "opt/replaced"), "w") as f:
            f.write("now a file")
        os.unlink(os.path.join(root, "fifo"))
        os.makedirs(os.path.join(root, "fifo/now/a/directory"))
        os.link(os.path.join(root, "bin/tool"), os.path.join(root, "usr/third-name"))
        os.chmod(os.path.join(root, "usr/lib/file8"), 0o600)

    @staticmethod
    def third_layer(root):
        os.makedirs(os.path.join(root, "var/lib/gone"))
        with open(os.path.join(root, "var/lib/gone/again"), "w") as f:
            f.write("here again")
        os.unlink(os.path.join(root, "bin/same"))

    def compare(self, root, image, layout):
        """The tree against `umoci unpack` of the same image."""
        bundle = os.path.join(self.work, "unpacked")
        run("umoci", "unpack", *([] if ROOT_USER else ["--rootless"]), "--image", layout, bundle)
        base = os.path.join(bundle, "rootfs").encode()
        tree = self.dump(root, image)
        bad, seen, inodes = [], {b""}, {}
        for d, dirs, files in os.walk(base):
            for n in dirs + files:
                full = os.path.join(d, n)
                path = os.path.relpath(full, base)
                seen.add(path)
                if path in tree:
                    bad += self.compare_one(full, path, tree[path])
                    inodes.setdefault(os.lstat(full).st_ino, set()).add(tree[path]["ino"])
        bad += [f"{sorted(i)} should be one inode" for i in inodes.values() if len(i) != 1]
        if seen != set(tree):
            bad.append(f"missing {sorted(seen - set(tree))[:5]}, extra {sorted(set(tree) - seen)[:5]}")
        shutil.rmtree(bundle)
        return bad

    @staticmethod
    def compare_one(full, path, e):
        st = os.lstat(full)
        bad = []

        def same(what, got, wanted):
            if got != wanted:
                bad.append(f"{path}: {what} is {got}, umoci has {wanted}")
        same("mode", oct(e["mode"]), oct(st.st_mode))
        same("nlink", e["nlink"], st.st_nlink)
        same("mtime", e["mtime"], f"{st.st_mtime_ns // 10**9}.{st.st_mtime_ns % 10**9:09}")
        if ROOT_USER:
            same("owner", (e["uid"], e["gid"]), (st.st_uid, st.st_gid))
            same("rdev", e["rdev"], st.st_rdev)
        if not stat.S_ISDIR(st.st_mode):
            same("size", e["size"], st.st_size)
        if stat.S_ISLNK(st.st_mode):
            same("target", bytes.fromhex(e["target"]), os.readlink(full))
        if stat.S_ISREG(st.st_mode):
            with open(full, "rb") as f:
                same("content", e["sha256"], hashlib.sha256(f.read()).hexdigest())
        xattrs = {n: os.getxattr(full, n, follow_symlinks=False).hex()
                  for n in os.listxattr(full, follow_symlinks=False)} if ROOT_USER else e["xattrs"]
        same("xattrs", e["xattrs"], xattrs)
        return bad

    def other_tools(self, layout):
        """The same image in every form skopeo can write."""
        source = f"oci:{layout}:test"
        forms = {"oci gzip": (f"{source}", []),
                 "oci zstd": (f"oci:{self.work}/zstd:test", ["--dest-compress-format", "zstd"]),
                 "oci plain": (f"oci:{self.work}/plain:test", ["--dest-decompress"]),
                 "oci archive": (f"oci-archive:{self.work}/oci.tar:name/in:archive", []),
                 "docker archive": (f"docker-archive:{self.work}/docker.tar:test:latest", []),
                 "docker manifest": (f"dir:{self.work}/dir", ["--format", "v2s2"])}
        for name, (where, flags) in forms.items():
            root = self.new_root()
            if where != source:
                run("skopeo", "copy", *flags, source, where)
            if where.startswith("dir:"):
                where = self.layout_of_dir(where[4:])
            code, out = self.load(root, where, "--tag", "compared:x")
            problems = [str(out)] if code else self.compare(root, "compared:x", f"{layout}:test")
            if not problems:
                problems = self.check_loaded(root, where, out)
            self.report(name, problems)

    def check_loaded(self, root, where, out):
        """Again is cheap and changes nothing but names; other tools read the store in place."""
        bad = []
        before = self.listing(root)
        code, again = self.load(root, where, "--tag", "compared:y")
        if code or not again["already"] or again["chain"] != out["chain"]:
            bad.append(f"loading again: {again}")
        if self.listing(root) != before:
            bad.append("loading again changed the files of the store")
        store = os.path.join(root, "store")
        inspected = json.loads(run("skopeo", "inspect", "--raw", f"oci:{store}:docker.io/library/compared:y"))
        if inspected["config"]["digest"] != out["config"]:
            bad.append("skopeo reads another image from the store")
        run("skopeo", "copy", f"oci:{store}:docker.io/library/compared:x", f"oci:{root}/copy:x")
        return bad

    def layout_of_dir(self, path):
        """A docker schema 2 manifest, as registries give it, in an OCI layout."""
        layout = Layout(path + ".oci")
        with open(os.path.join(path, "manifest.json"), "rb") as f:
            manifest = f.read()
        for name in os.listdir(path):
            if len(name) == 64:
                with open(os.path.join(path, name), "rb") as f:
                    layout.blob(f.read(), "")
        layout.index(layout.blob(manifest, json.loads(manifest)["mediaType"]))
        return "oci:" + layout.path

    def buildah(self):
        """An image that buildah made, as an OCI layout and as docker's archive."""
        if not ROOT_USER or shutil.which("buildah") is None:
            return  # it needs an overlay or a user namespace of its own
        tree = os.path.join(self.work, "tree")
        os.makedirs(os.path.join(tree, "bin"))
        for name in ("bin/a", "bin/b"):
            with open(os.path.join(tree, name), "w") as f:
                f.write(name)
        flags = ["--root", f"{self.work}/storage", "--runroot", f"{self.work}/runroot", "--storage-driver", "vfs"]
        one = run("buildah", *flags, "from", "scratch").strip()
        run("buildah", *flags, "copy", one, tree, "/")
        run("buildah", *flags, "config", "--cmd", "/bin/a", one)
        run("buildah", *flags, "commit", one, f"oci:{self.work}/buildah:v1")
        run("buildah", *flags, "commit", one, f"docker-archive:{self.work}/buildah.tar:built:v1")
        for where in (f"oci:{self.work}/buildah", f"docker-archive:{self.work}/buildah.tar"):
            root = self.new_root()
            code, out = self.load(root, where, "--tag", "built")
            problems = [str(out)] if code else self.compare(root, "built", f"{self.work}/buildah:v1")
            self.report(f"buildah {where.split(':')[0]}", problems)

    # --- platforms -------------------------------------------------------------------------------------------

    def platforms(self):
        layout = Layout(os.path.join(self.work, "multi"))

        def image(architecture, **platform):
            return layout.image(tar_of(("arch", tarfile.REGTYPE, architecture.encode())), architecture=architecture,
                                platform={"os": "linux", "architecture": architecture, **platform})
        inner = layout.blob({"schemaVersion": 2, "manifests": [image("arm64"), image("amd64"), image("s390x")]},
                            "application/vnd.oci.image.index.v1+json")
        outer = layout.blob({"schemaVersion": 2, "manifests": [inner]}, "application/vnd.oci.image.index.v1+json",
                            annotations={"org.opencontainers.image.ref.name": "multi"})
        layout.index(outer)
        source = "oci:" + layout.path
        bad = []
        code, out = self.load(self.new_root(), source, "--platform", "linux/arm64")
        bad += [str(out)] if code or out["names"] != ["docker.io/library/multi:multi"] else []
        code, out = self.load(self.new_root(), source + ":multi", "--platform", "linux/s390x")
        bad += [str(out)] if code else []
        code, out = self.load(self.new_root(), source, "--platform", "linux/riscv64")
        reason = out.get("error", {}).get("reason", "")
        if code != FAILED or "linux/amd64, linux/arm64, linux/s390x" not in reason:
            bad.append(f"a platform that is not there: {out}")
        self.report("platforms in nested indexes", bad)

    # --- damage ----------------------------------------------------------------------------------------------

    @staticmethod
    def listing(root):
        out = {}
        for d, _, files in os.walk(os.path.join(root, "store")):
            for n in files:
                path = os.path.join(d, n)
                out[path] = os.lstat(path).st_size if not n.startswith("index.json") else 0
        return out

    def must_fail(self, name, source, codes, root=None, reason="", more=()):
        root = root or self.new_root()
        code, _ = self.load(root, self.good, "--tag", "good")
        before, index = self.listing(root), open(os.path.join(root, "store/index.json")).read()
        code, out = self.load(root, source, *more)
        error = out.get("error", {})
        bad = []
        if code != FAILED or error.get("code") not in codes or reason not in error.get("reason", ""):
            bad.append(f"exit code {code}, {out}")
        if self.listing(root) != before or open(os.path.join(root, "store/index.json")).read() != index:
            bad.append("the store was changed")
        if os.listdir(os.path.join(root, "store/staging")):
            bad.append("something is left in staging")
        self.report(name, bad)

    def damaged(self, layout):
        """Each blob in turn flipped, cut, lengthened, removed."""
        self.good = "oci:" + os.path.join(self.work, "good")
        good = Layout(self.good[4:])
        good.index(good.image(tar_of(("good", tarfile.REGTYPE, b"good"))))
        blobs = sorted(os.listdir(os.path.join(layout, "blobs/sha256")))
        index = json.load(open(os.path.join(layout, "index.json")))["manifests"][0]
        manifest = json.load(open(os.path.join(layout, "blobs/sha256", index["digest"][7:])))
        used = {index["digest"][7:], manifest["config"]["digest"][7:]} | {x["digest"][7:] for x in manifest["layers"]}
        for blob in (b for b in blobs if b in used):
            for how in ("flipped", "cut", "longer", "gone"):
                copy = os.path.join(self.work, "damaged")
                shutil.copytree(layout, copy)
                path = os.path.join(copy, "blobs/sha256", blob)
                os.chmod(path, 0o644)
                data = bytearray(open(path, "rb").read())
                if how == "flipped":
                    data[len(data) // 2] ^= 1
                changed = {"flipped": data, "cut": data[:-1], "longer": data + b"\0", "gone": None}[how]
                os.unlink(path)
                if changed is not None:
                    with open(path, "wb") as f:
                        f.write(changed)
                self.must_fail(f"{how} {blob[:12]}", f"oci:{copy}:test", ("corrupt", "not-found"))
                shutil.rmtree(copy)

    def absurd(self):
        """Tars that no honest tool writes."""
        r, d, l, s = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE
        cases = {
            "dot-dot path": [("../x", r, b"")],
            "dot-dot in the middle": [("a/../../x", r, b"")],
            "dangling hard link": [("a", l, "b")],
            "hard links in a circle": [("a", l, "b"), ("b", l, "a")],
            "hard link to itself": [("a", l, "a")],
            "hard link out of the tree": [("a", l, "../../etc/passwd")],
            "hard link to a directory": [("d", d, b""), ("a", l, "d")],
            "file as a parent": [("a", r, b""), ("a/b", r, b"")],
            "symlinks in a circle as parent": [("a", s, "b"), ("b", s, "a"), ("a/x", r, b"")],
            "whiteout without a name": [(".wh.", r, b"")],
            "whiteout of dot-dot": [("a/.wh...", r, b"")],
            "path through a whiteout": [(".wh.a/b", r, b"")],
            "name of 256 bytes": [("x" * 256, r, b"")],
            "path of 5000 bytes": [("/".join(["y" * 99] * 50), r, b"")],
            "root as a file": [("./", r, b""), ("/", s, "x")],
            "whiteout of nothing": [(".wh.nothing", r, b""), ("x", r, b"")],
            "whiteout in no directory": [("no/.wh.thing", r, b""), ("x", r, b"")],
            "absolute name": [("/abs/x", r, b"1")],
            "absolute hard link": [("x", r, b"1"), ("y", l, "/x")],
        }
        for name, members in cases.items():
            layout = Layout(os.path.join(self.work, "absurd"))
            layout.index(layout.image(tar_of(*members)))
            self.must_fail(name, "oci:" + layout.path, ("corrupt", "limit"))
            shutil.rmtree(layout.path)
        fine = {
            "opaque mark on a new directory": [("new/.wh..wh..opq", r, b""), ("x", r, b"")],
            "symlink that leads out": [("etc", s, "../../../../etc"), ("x", r, b"")],
        }
        for name, members in fine.items():
            root = self.new_root()
            layout = Layout(os.path.join(self.work, "fine"))
            layout.index(layout.image(tar_of(("lower", r, b"")), tar_of(*members)))
            code, out = self.load(root, "oci:" + layout.path, "--tag", "fine")
            self.report(name, [str(out)] if code else [] if b"lower" in self.dump(root, "fine") else ["lower is gone"])
            shutil.rmtree(layout.path)

    def documents(self):
        """Manifests and indexes that lie."""
        def case(name, codes, build, reason=""):
            layout = Layout(os.path.join(self.work, "lying"))
            layout.index(build(layout))
            self.must_fail(name, "oci:" + layout.path, codes, reason=reason)
            shutil.rmtree(layout.path)
        tar = tar_of(("x", tarfile.REGTYPE, b""))
        manifest_type = "application/vnd.oci.image.manifest.v1+json"
        index_type = "application/vnd.oci.image.index.v1+json"

        def nested(depth):
            def build(layout):
                entry = layout.image(tar)
                for _ in range(depth):
                    entry = layout.blob({"schemaVersion": 2, "manifests": [entry]}, index_type)
                return entry
            return build

        def amplified(layout):
            entry = layout.image(tar)
            for i in range(7):  # 16^7 visits if nobody counts
                entry = layout.blob({"schemaVersion": 2, "manifests": [entry] * 16}, index_type)
            return entry

        def wrong_diff_id(layout):
            config = layout.blob({"os": "linux", "architecture": "amd64",
                                  "rootfs": {"type": "layers", "diff_ids": [sha256(b"other")]}},
                                 "application/vnd.oci.image.config.v1+json")
            return layout.blob({"schemaVersion": 2, "config": config, "layers": [
                layout.blob(tar, "application/vnd.oci.image.layer.v1.tar")]}, manifest_type)
        case("index nested too deep", ("limit",), nested(9))
        case("index that multiplies", ("limit",), amplified)
        case("manifest called an index", ("corrupt",), lambda x: {**x.image(tar), "mediaType": index_type})
        case("schema 1", ("unsupported",), lambda x: x.blob(
            {"schemaVersion": 1, "fsLayers": []}, "application/vnd.docker.distribution.manifest.v1+prettyjws"))
        case("wrong diff id", ("corrupt",), wrong_diff_id, reason="its digest should be")
        case("no layers", ("corrupt",), lambda x: x.image())
        case("not JSON", ("corrupt",), lambda x: x.blob(b"\x7fELF", manifest_type))
        self.must_fail("no such directory", "oci:/nonexistent", ("not-found",))
        self.must_fail("a tar that is none", "docker-archive:/bin/sh", ("corrupt",))
        root = self.new_root()
        self.must_fail("a name that is none", self.good, ("invalid-argument",), root, more=["--tag", "Bad Name"])
        self.must_fail("no such transport", "docker://busybox", ("invalid-argument",))

    def killed(self):
        """kill -9 in the middle; the next command cleans up and the load works."""
        layout = Layout(os.path.join(self.work, "big"))
        layout.index(layout.image(*(tar_of((f"f{i}", tarfile.REGTYPE, os.urandom(1 << 20) * 60)) for i in range(3))))
        root = self.new_root()
        bad = []
        for delay in (0.01, 0.05, 0.1, 0.2, 0.3):
            child = subprocess.Popen([self.transfer, "load", "--root", root, "oci:" + layout.path],
                                     stdout=subprocess.DEVNULL)
            time.sleep(delay)
            child.send_signal(signal.SIGKILL)
            child.wait()
        code, out = self.load(root, "oci:" + layout.path, "--tag", "big")
        if code or set(self.dump(root, "big")) != {b"", b"f0", b"f1", b"f2"}:
            bad.append(str(out))
        if os.listdir(os.path.join(root, "store/staging")):
            bad.append("something is left in staging")
        if len(os.listdir(os.path.join(root, "store/blobs/sha256"))) != 6:
            bad.append("blobs are left over")
        self.report("kill -9 in the middle of a load", bad)

    def at_once(self, layout):
        """Eight loads of one image at the same time."""
        root = self.new_root()
        children = [subprocess.Popen([self.transfer, "load", "--root", root, "--tag", f"n{i}", f"oci:{layout}:test"],
                                     stdout=subprocess.PIPE, text=True) for i in range(8)]
        outputs = [c.communicate()[0] for c in children]
        bad = [o for c, o in zip(children, outputs) if c.returncode]
        names = {e["annotations"].get("org.opencontainers.image.ref.name")
                 for e in json.load(open(os.path.join(root, "store/index.json")))["manifests"]}
        if names != {f"docker.io/library/n{i}:latest" for i in range(8)}:
            bad.append(str(names))
        self.report("eight loads at once", bad)


def main():
    for tool in ("umoci", "skopeo"):
        if shutil.which(tool) is None:
            print(f"SKIP {tool} is not installed")
            sys.exit(77)
    with tempfile.TemporaryDirectory() as work:
        test = Test(sys.argv[1], sys.argv[2], work)
        layout = test.make_images()
        test.other_tools(layout)
        test.buildah()
        test.platforms()
        test.damaged(layout)
        test.absurd()
        test.documents()
        test.killed()
        test.at_once(layout)
        print(f"{test.failed} failed")
    sys.exit(1 if test.failed else 0)


if __name__ == "__main__":
    main()
