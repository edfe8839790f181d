#!/usr/bin/env python3
"""policy.json's signedBy with keys and signatures that gpg makes: what is accepted, and each way not to be.

usage: signatures.py POLICY_PROBE"""
import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import probe  # noqa: F401  its import makes tests/support known
import harness

MANIFEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32


class Gpg:
    """A GnuPG home with keys of no passphrase."""

    def __init__(self, home: Path):
        self.home = home
        home.mkdir(mode=0o700)

    def __call__(self, *words, data: bytes = b"") -> bytes:
        done = subprocess.run(["gpg", "--homedir", self.home, "--batch", "--yes", "--quiet", "--no-tty", "--passphrase", "",
                               "--pinentry-mode", "loopback", *words], input=data, check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"gpg {words}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def new_key(self, name: str) -> str:
        self("--quick-generate-key", name, "ed25519", "sign", "never")
        return name

    def sign(self, *keys: str, text: bytes, how: str = "--sign", options=()) -> bytes:
        return self(*options, *(word for key in keys for word in ("--local-user", key)), how, data=text)

    def stop(self) -> None:
        subprocess.run(["gpgconf", "--homedir", self.home, "--kill", "all"], check=False, timeout=60)


def payload(name: str, digest: str = MANIFEST, **more) -> bytes:
    return json.dumps({"critical": {"type": "atomic container signature", "image": {"docker-manifest-digest": digest},
                                    "identity": {"docker-reference": name}, **more},
                       "optional": {"creator": "a test"}}).encode()


class World:
    """The machine that policy_probe sees."""

    def __init__(self, program: str, root: Path):
        self.program, self.root, self.failed = program, root, 0
        for folder in ("etc/containers/registries.d", "home", "tmp", "web"):
            (root / folder).mkdir(parents=True)

    def policy(self, **members) -> None:
        text = json.dumps({"default": [{"type": "signedBy", "keyType": "GPGKeys", **members}]})
        (self.root / "etc/containers/policy.json").write_text(text, encoding="utf-8")

    def signatures(self, *blobs: bytes, base: str | None = None) -> None:
        """As files of the default folder, or as what a server has."""
        repository = f"library/app@{MANIFEST.replace(':', '=')}"
        if base:
            (self.root / "etc/containers/registries.d/x.yaml").write_text(f"default-docker:\n  lookaside: {base}\n",
                                                                          encoding="utf-8")
        folder = self.root / "home/.local/share/containers/sigstore" / repository
        folder.mkdir(parents=True, exist_ok=True)
        for old in [*folder.iterdir(), *(self.root / "web").iterdir()]:
            old.unlink()
        for number, blob in enumerate(blobs, 1):
            name = f"{base}/{repository}/signature-{number}".replace("/", "_")
            (self.root / "web" / name if base else folder / f"signature-{number}").write_bytes(blob)

    def check(self, what: str, wanted: str, name: str = "app:1", digest: str = MANIFEST) -> None:
        for way in ([], ["guard"]):
            self.check_once(f"{what} {way}", wanted, [name, digest, *way])

    def check_once(self, what: str, wanted: str, words: list[str]) -> None:
        done = subprocess.run([self.program, self.root, *words], stdout=subprocess.PIPE, text=True, timeout=120, check=False)
        if wanted not in done.stdout or (wanted == "ok") != (done.returncode == 0):
            self.failed += 1
            print(f"FAIL {what}: wanted '{wanted}', got code {done.returncode}: {done.stdout}")
        left = os.listdir(self.root / "tmp")
        if left:
            self.failed += 1
            print(f"FAIL {what}: left behind: {left}")


def identities(world: World, gpg: Gpg, key: Path, good: str) -> None:
    name = "docker.io/library/app:1"
    world.policy(keyPath=str(key))
    world.signatures(gpg.sign(good, text=payload(name)))
    world.check("a good signature", "ok")
    world.check("another tag", "it is for 'docker.io/library/app:1'", name="app:2")
    world.check("by digest", "ok", name=f"app@{MANIFEST}")
    world.policy(keyPath=str(key), signedIdentity={"type": "matchRepository"})
    world.check("matchRepository", "ok", name="app:2")
    world.policy(keyPath=str(key), signedIdentity={"type": "exactReference", "dockerReference": "vendor.io/x:3"})
    world.check("exactReference of another", "it is for")
    world.signatures(gpg.sign(good, text=payload("vendor.io/x:3")))
    world.check("exactReference", "ok")
    world.policy(keyPath=str(key))
    world.signatures(gpg.sign(good, text=payload(name, OTHER)))
    world.check("another manifest", f"it is for manifest {OTHER}")
    world.signatures(b"\x88nonsense", gpg.sign(good, text=payload(name, OTHER)), gpg.sign(good, text=payload(name)))
    world.check("the third of three", "ok")
    world.signatures()
    world.check("no signature", "it has no signature at file://")
    world.signatures(gpg.sign(good, text=payload(name)), base="https://sigs.example.com/store")
    world.check("from a server", "ok")
    world.signatures(base="https://sigs.example.com/store")
    world.check("none on the server", "it has no signature at https://sigs.example.com/store/library/app@sha256=abab")
    (world.root / "etc/containers/registries.d/x.yaml").unlink()


def keys(world: World, gpg: Gpg, key: Path, good: str, bad: str) -> None:
    text = payload("docker.io/library/app:1")
    world.signatures(gpg.sign(bad, text=text))
    world.check("a foreign key", "none of its signatures is accepted")
    both = world.root / "both.gpg"
    both.write_bytes(gpg("--export", bad))
    world.policy(keyPaths=[str(key), str(both)])
    world.check("one of two keyrings", "ok")
    world.policy(keyData=base64.b64encode(gpg("--armor", "--export", bad)).decode())
    world.check("armoured key data", "ok")
    world.policy(keyData=base64.b64encode(b"no key").decode())
    world.check("no key", "has no public key")
    world.policy(keyPath=str(world.root / "absent.gpg"))
    world.check("no keyring", "absent.gpg")
    gpg("--quick-add-key", gpg("--list-keys", "--with-colons", good).decode().split("fpr:")[1].split(":")[8], "ed25519", "sign")
    key.write_bytes(gpg("--export", good))
    world.policy(keyPath=str(key))
    world.signatures(gpg.sign(good, text=text))
    world.check("a signing subkey", "ok")


def hostile(world: World, gpg: Gpg, good: str, bad: str) -> None:
    text = payload("docker.io/library/app:1")
    refused = "none of its signatures is accepted"
    for what, blob in {
            "two signatures": gpg.sign(good, bad, text=text),
            "armour": gpg.sign(good, text=text, options=("--armor",)),
            "cleartext": gpg.sign(good, text=text, how="--clear-sign"),
            "detached": gpg.sign(good, text=text, how="--detach-sign"),
            "not signed": gpg("--store", data=text),
            "changed": bytes(gpg.sign(good, text=text, options=("--compress-algo", "none"))).replace(b"app:1", b"app:2"),
            "cut": gpg.sign(good, text=text)[:-20],
            "a bomb": gpg.sign(good, text=b" " * 50_000_000 + text),
            "more in critical": gpg.sign(good, text=payload("docker.io/library/app:1", more=1)),
            "no JSON": gpg.sign(good, text=b"{"),
            "empty": b"",
    }.items():
        world.signatures(blob)
        world.check(what, refused)


def times(world: World, gpg: Gpg) -> None:
    """Keys and signatures of 2020."""
    text = payload("docker.io/library/app:1")
    then, later = ("--faked-system-time", "20200101T000000!"), ("--faked-system-time", "20200103T000000!")
    gpg(*then, "--quick-generate-key", "lasting@example.com", "ed25519", "sign", "never")
    gpg(*then, "--quick-generate-key", "short@example.com", "ed25519", "sign", "1y")
    old = world.root / "old.gpg"
    old.write_bytes(gpg("--export", "lasting@example.com", "short@example.com"))
    world.policy(keyPath=str(old))
    world.signatures(gpg.sign("lasting@example.com", text=text, options=later))
    world.check("an old signature", "ok")
    world.signatures(gpg.sign("lasting@example.com", text=text, options=(*later, "--default-sig-expire", "1d")))
    world.check("an expired signature", "Signature expired")
    world.signatures(gpg.sign("short@example.com", text=text, options=later))
    world.check("an expired key", "Key expired")


def main() -> int:
    harness.need("tool:gpg", "tool:gpgconf")
    with tempfile.TemporaryDirectory(prefix="sbx-sig-") as folder:
        world = World(sys.argv[1], Path(folder) / "root")
        gpg = Gpg(Path(folder) / "gnupg")
        try:
            good, bad = gpg.new_key("good@example.com"), gpg.new_key("bad@example.com")
            key = world.root / "good.gpg"
            key.write_bytes(gpg("--export", good))
            identities(world, gpg, key, good)
            hostile(world, gpg, good, bad)
            keys(world, gpg, key, good, bad)
            times(world, gpg)
        finally:
            gpg.stop()
    print("FAIL" if world.failed else "ok")
    return 1 if world.failed else 0


if __name__ == "__main__":
    sys.exit(main())
