#!/usr/bin/env python3
"""compare_tree.py WANTED GOT [--skip PATH]... [--without FIELD,...]: compares two listings of tree_list.

Prints each difference as "path: field: wanted A, got B" and ends with 1 if there is one. --skip leaves out a path and
what is below it; --without leaves out fields (uid and gid, where a sandbox has one id only)."""
import argparse
import json
import sys
from pathlib import Path


def read(listing: str, skip: list[str]) -> dict[str, dict]:
    found = {}
    for line in Path(listing).read_text(encoding="ascii").splitlines():
        entry = json.loads(line)
        path = entry.pop("path")
        # Where umoci notes the owner it could not give: not of the image.
        (entry.get("xattrs") or {}).pop("user.rootlesscontainers", None)
        if not any(path == each or path.startswith(each + "/") for each in skip):
            found[path] = entry
    return found


def differences(wanted: dict[str, dict], got: dict[str, dict], without: list[str]) -> list[str]:
    lines = []
    for path in sorted(wanted.keys() | got.keys()):
        if path not in got:
            lines.append(f"{path}: missing ({wanted[path]['type']})")
        elif path not in wanted:
            lines.append(f"{path}: should not be there ({got[path]['type']})")
        else:
            for field in sorted((wanted[path].keys() | got[path].keys()) - set(without)):
                one, other = wanted[path].get(field), got[path].get(field)
                if one != other:
                    lines.append(f"{path}: {field}: wanted {one}, got {other}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wanted")
    parser.add_argument("got")
    parser.add_argument("--skip", action="append", default=[])
    parser.add_argument("--without", default="")
    parser.add_argument("--least", type=int, default=5, help="fewer paths than this in WANTED is a failure, too")
    arguments = parser.parse_args()
    wanted, got = read(arguments.wanted, arguments.skip), read(arguments.got, arguments.skip)
    if len(wanted) < arguments.least:
        print(f"only {len(wanted)} paths to compare with: the listing is not what it should be")
        return 1
    lines = differences(wanted, got, arguments.without.split(","))
    print("\n".join(lines[:200]) if lines else f"{len(wanted)} paths are the same")
    if len(lines) > 200:
        print(f"… and {len(lines) - 200} more differences")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
