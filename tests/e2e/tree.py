#!/usr/bin/env python3
"""Every path of an image is in the sandbox what `umoci unpack` makes of it: type, mode, owner, size, mtime, links,
xattrs, content. The same for the lowers `dir:` and `host`, compared with the folder itself.

tree.py small|zstd|archive|dir|host"""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402
from harness import SUPPORT, TREE_LIST, Workspace, full_ids, images, need  # noqa: E402

# What the sandbox has of its own, and where this test mounts its lister.
OWN = ["/dev", "/proc", "/sys", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/srv/tree_list"]
# umoci gives parents that no layer names the time of the unpacking.
IMPLICIT = ["/implicit"]


def check(outcome: harness.Outcome, what: str) -> str:
    if outcome.code != 0:
        sys.exit(f"{what}: exit code {outcome.code}\n{outcome.err}{outcome.out[-2000:]}")
    return outcome.out


def in_user_namespace(place: Workspace, *command: str) -> harness.Outcome:
    """As root of a user namespace: with all ids this user has, else with its own as root."""
    return place.run("unshare", "--map-root-user", *(["--map-auto"] if full_ids() else []), *command, timeout=600)


def unpack(place: Workspace, layout: str, target: Path) -> None:
    rootless = [] if full_ids() else ["--rootless"]
    check(in_user_namespace(place, "umoci", "unpack", *rootless, "--image", layout, str(target)), "umoci unpack")


def list_outside(place: Workspace, folder: Path) -> Path:
    listing = place.work / f"outside-{folder.parent.name}"
    listing.write_text(check(in_user_namespace(place, TREE_LIST, str(folder)), "tree_list"), encoding="ascii")
    return listing


def list_inside(place: Workspace, image: str, engine: str = "fuse") -> Path:
    listing = place.work / "inside"
    listing.write_text(check(place.sbx("run", "--rm", "--net", "none", f"--overlay={engine}", "-v", f"{TREE_LIST}:/srv/tree_list:ro", image,
                                       "/srv/tree_list", "-x", "/", *OWN, timeout=600), "sbx run"), encoding="ascii")
    return listing


def compare(place: Workspace, wanted: Path, got: Path, skip: list[str], least: int, owners: bool) -> None:
    skips = [word for path in skip for word in ("--skip", path)]
    without = [] if owners else ["--without", "uid,gid"]
    outcome = place.run(SUPPORT / "compare_tree.py", wanted, got, "--least", str(least), *skips, *without)
    print(outcome.out, end="")
    if outcome.code != 0:
        sys.exit(f"the trees differ\n{outcome.err}")


def compare_image(place: Workspace, layout: str, image: str, least: int) -> None:
    """Inside `image`, by each engine, against what umoci unpacks from `layout`."""
    unpack(place, layout, place.work / "bundle")
    wanted = list_outside(place, place.work / "bundle/rootfs")
    compare(place, wanted, list_inside(place, image), OWN + IMPLICIT, least, full_ids())
    if full_ids():  # the kernel gives a directory with changes in it, as the root, one link
        compare(place, wanted, list_inside(place, image, "kernel"), [*OWN, *IMPLICIT, "/"], least, True)
    in_user_namespace(place, "rm", "-rf", str(place.work / "bundle"))


def compare_folder(place: Workspace) -> None:
    """A folder of the caller's, listed by the caller: in the sandbox its owner is root, all else is as it lies there. What
    the caller cannot read (mode 0) is unreadable for the sandbox's root, too."""
    check(place.run("umoci", "unpack", "--rootless", "--image", f"{images()}/small:latest", place.work / "bundle"), "umoci")
    folder = place.work / "bundle/rootfs"
    lists = [place.work / name for name in ("outside", "inside", "afterwards")]
    lists[0].write_text(place.run(TREE_LIST, folder).out, encoding="ascii")
    lists[1].write_text(place.sbx("run", "--rm", "--net", "none", "-v", f"{TREE_LIST}:/srv/tree_list:ro", f"dir:{folder}",
                                  "/srv/tree_list", "-x", "/", *OWN).out, encoding="ascii")
    lists[2].write_text(place.run(TREE_LIST, folder).out, encoding="ascii")
    owner = f'"uid": {os.getuid()}, "gid": {os.getgid()}'
    lists[0].write_text(lists[0].read_text(encoding="ascii").replace(owner, '"uid": 0, "gid": 0'), encoding="ascii")
    lists[2].write_text(lists[2].read_text(encoding="ascii").replace(owner, '"uid": 0, "gid": 0'), encoding="ascii")
    compare(place, lists[0], lists[1], OWN, 150, True)
    compare(place, lists[0], lists[2], [], 150, True)  # and nothing was written to it


def compare_host(place: Workspace) -> None:
    """Two folders of the machine, listed by the same user without and with a sandbox around it."""
    for folder in ("/etc", "/usr/bin"):
        # Unreadable files make tree_list complain and say so in the listing, on both sides alike.
        outside, inside = place.work / "outside", place.work / "inside"
        outside.write_text(place.run(TREE_LIST, "-x", folder, timeout=600).out, encoding="ascii")
        inside.write_text(place.sbx("run", "--rm", "--net", "none", "host", TREE_LIST, "-x", folder, timeout=600).out,
                          encoding="ascii")
        skip = ["/hosts", "/hostname", "/resolv.conf", "/mtab"] if folder == "/etc" else []
        compare(place, outside, inside, skip, 100, full_ids())


def main() -> None:
    which = sys.argv[1]
    need("userns", "fuse")
    if which != "host":
        need("tool:umoci", "tool:skopeo")
    with Workspace(f"tree-{which}") as place:
        if which == "host":
            compare_host(place)
        elif which == "dir":
            compare_folder(place)
        else:
            folder = images()
            image = {"small": f"oci:{folder}/small:latest", "zstd": f"oci:{folder}/small-zstd:latest",
                     "archive": f"docker-archive:{folder}/small.docker.tar"}[which]
            compare_image(place, f"{folder}/small:latest", image, 150)


if __name__ == "__main__":
    main()
