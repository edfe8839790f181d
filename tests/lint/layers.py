#!/usr/bin/env python3
"""Who may include whom: reads src/LAYERS and checks every #include of src and include.

- "room/..." only for the rooms of the row (and the room itself);
- a third-party header only in the room whose row names it (fmt: everywhere);
- the public headers "sbx/..." only for rooms whose row names sbx; they see each other and the standard library;
- overlay/core sees nothing of FUSE;
- a header that is neither of the system nor named in LAYERS is a new dependency nobody decided on."""
import re
from pathlib import Path

from lintlib import Sample, cpp_files, line_of, main, text

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
SYSTEM_FOLDERS = re.compile(r"^(sys|linux|net|netinet|arpa|asm|bits|x86_64-linux-gnu)/")
SYSTEM_HEADERS = set("""alloca.h assert.h ctype.h dirent.h dlfcn.h elf.h endian.h err.h errno.h error.h fcntl.h features.h
 fnmatch.h fts.h getopt.h glob.h grp.h ifaddrs.h inttypes.h langinfo.h libgen.h limits.h link.h locale.h malloc.h math.h
 mntent.h mqueue.h netdb.h paths.h poll.h pthread.h pty.h pwd.h regex.h resolv.h sched.h semaphore.h signal.h spawn.h stdarg.h
 stddef.h stdint.h stdio.h stdlib.h string.h strings.h syscall.h sysexits.h syslog.h termios.h time.h ucontext.h
 unistd.h utime.h utmp.h wait.h wchar.h byteswap.h""".split())
FMT = "fmt"  # its format strings are checked at compile time, so every room formats by it


def read_layers(root: Path) -> tuple[dict[str, set[str]], dict[str, str]]:
    """Rooms and what they may include; third-party header (or first folder of it) and its room."""
    rooms, owners = {}, {}
    for line in text(root / "src/LAYERS").splitlines():
        line = line.split("#")[0]
        if ":" not in line:
            continue
        room, rest = line.split(":", 1)
        allowed, _, third_party = rest.partition("|")
        rooms[room.strip()] = set(allowed.split())
        owners.update({header: room.strip() for header in third_party.split()})
    return rooms, owners


def owner_of(header: str, owners: dict[str, str]) -> tuple[str, str] | None:
    for name in (header, header.split("/")[0]):
        if name in owners:
            return name, owners[name]
    return None


def complaint_about(room: str, relative: Path, quote: str, header: str, rooms, owners) -> str | None:
    first = header.split("/")[0]
    if first == "sbx":
        return None if room == "public" or "sbx" in rooms[room] else f"{room} may not include the public headers (src/LAYERS)"
    if quote == '"':
        if room == "public":
            return "a public header may include the standard library and sbx/ only"
        if first not in rooms:
            return "is in no room: write it as \"room/file.hpp\""
        if first != room and first not in rooms[room]:
            return f"{room} may not include {first} (src/LAYERS)"
        if relative.parts[1:3] == ("overlay", "core") and header.startswith("overlay/fuse/"):
            return "overlay/core knows nothing of FUSE"
        return None
    owned = owner_of(header, owners)
    if owned:
        name, owner = owned
        if owner != room and not (name == FMT and room != "public"):
            return f"{name} belongs to the room {owner} (src/LAYERS)"
        if relative.parts[1:3] == ("overlay", "core") and name.startswith("fuse"):
            return "overlay/core knows nothing of FUSE"
        return None
    if "." not in header or header in SYSTEM_HEADERS or SYSTEM_FOLDERS.match(header):
        return None
    return "is neither of the system nor named in src/LAYERS"


def check(root: Path) -> list[str]:
    rooms, owners = read_layers(root)
    complaints = []
    for file in cpp_files(root, "src", "include"):
        relative = file.relative_to(root)
        room = relative.parts[1] if relative.parts[0] == "src" else "public"
        content = text(file)
        if room != "public" and room not in rooms:
            complaints.append(f"{relative}:1: the room {room} has no row in src/LAYERS")
            continue
        for found in INCLUDE.finditer(content):
            wrong = complaint_about(room, relative, found[1], found[2], rooms, owners)
            if wrong:
                complaints.append(f"{relative}:{line_of(content, found.start())}: {found[2]}: {wrong}")
    return complaints


LAYERS = "# comment\nbase : | fmt spdlog\nsys : base | sys/capability.h\noverlay : sys base | fuse_lowlevel.h\ncli : sbx | CLI\n"
SAMPLES = [
    Sample({"src/LAYERS": LAYERS,
            "src/base/a.cpp": '#include "base/a.hpp"\n#include <vector>\n#include <unistd.h>\n#include <spdlog/spdlog.h>\n',
            "src/sys/a.cpp": '#include "base/a.hpp"\n#include <sys/mount.h>\n#include <sys/capability.h>\n#include <fmt/format.h>\n',
            "src/overlay/fuse/a.cpp": '#include <fuse_lowlevel.h>\n#include "overlay/core/b.hpp"\n',
            "src/cli/a.cpp": '#include <CLI/CLI.hpp>\n#include "sbx/run.hpp"\n',
            "include/sbx/run.hpp": '#include <string>\n#include "sbx/error.hpp"\n'}, []),
    Sample({"src/LAYERS": LAYERS, "src/base/a.cpp": '#include "sys/fd.hpp"\n'}, ["base may not include sys"]),
    Sample({"src/LAYERS": LAYERS, "src/sys/a.cpp": "\n#include <spdlog/spdlog.h>\n"}, ["a.cpp:2: spdlog/spdlog.h: spdlog belongs"]),
    Sample({"src/LAYERS": LAYERS, "src/base/a.cpp": "#include <sys/capability.h>\n"}, ["belongs to the room sys"]),
    Sample({"src/LAYERS": LAYERS, "src/cli/a.cpp": '#include "base/result.hpp"\n'}, ["cli may not include base"]),
    Sample({"src/LAYERS": LAYERS, "src/base/a.cpp": '#include "sbx/run.hpp"\n'}, ["may not include the public headers"]),
    Sample({"src/LAYERS": LAYERS, "src/base/a.cpp": "#include <curl/curl.h>\n#include \"a.hpp\"\n"},
           ["neither of the system", "is in no room"]),
    Sample({"src/LAYERS": LAYERS, "src/overlay/core/a.cpp": '#include <fuse_lowlevel.h>\n#include "overlay/fuse/x.hpp"\n'},
           ["a.cpp:1: fuse_lowlevel.h: overlay/core", "a.cpp:2: overlay/fuse/x.hpp: overlay/core"]),
    Sample({"src/LAYERS": LAYERS, "include/sbx/a.hpp": "#include <fmt/format.h>\n"}, ["fmt belongs"]),
    Sample({"src/LAYERS": LAYERS, "src/new/a.cpp": ""}, ["no row"]),
]

if __name__ == "__main__":
    main(check, SAMPLES)
