#!/bin/bash
# fs_fixture.sh FOLDER: what tests/bench/fs works on, made once, as root of a user namespace with subordinate ids:
# FOLDER/rootfs, a Debian with git, gcc, python and numpy, and in its /bench: big (1 GiB), tree.tar (20,000 files), repo.git
# (8,000 files), package.deb and c (200 C files). Needs a Debian mirror.
set -euo pipefail
folder=$1
[ ! -e "$folder/done" ] || exit 0
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
# (mount: no proc in a namespace that does not see all of one; nothing here needs it.)
TMPDIR=/var/tmp mmdebstrap --quiet --mode=root --variant=minbase --format=tar \
  --include=python3,python3-numpy,gcc,libc6-dev,make,git,sqlite3 bookworm - >root.tar 2>mmdebstrap.log || { cat mmdebstrap.log >&2; exit 1; }
mkdir rootfs
tar -C rootfs --exclude='./dev/*' -xpf root.tar
rm root.tar
mkdir rootfs/bench
cd rootfs/bench
head -c 1G /dev/urandom >big
apt-get download -q vim-runtime >/dev/null 2>&1
mv vim-runtime*.deb package.deb
python3 - <<'X'
import io, random, subprocess, tarfile
from pathlib import Path
random.seed(1)
with tarfile.open("tree.tar", "w") as archive:
    for i in range(20000):
        data = random.randbytes(random.choice([200, 900, 2000, 4000, 9000]))
        info = tarfile.TarInfo(f"t/d{i % 200:03}/s{i % 3}/f{i:05}.txt")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
subprocess.run(["git", "init", "-q", "--bare", "repo.git"], check=True)
subprocess.run(["git", "-C", "repo.git", "symbolic-ref", "HEAD", "refs/heads/main"], check=True)
with subprocess.Popen(["git", "-C", "repo.git", "fast-import", "--quiet"], stdin=subprocess.PIPE) as git:
    out = git.stdin
    out.write(b"commit refs/heads/main\ncommitter a <a@b> 1700000000 +0000\ndata 1\nx\n")
    for i in range(8000):
        text = (b"line %d\n" % random.randrange(10 ** 6)) * random.randrange(5, 300)
        out.write(b"M 100644 inline src/m%d/p%d/f%d.c\ndata %d\n%s\n" % (i % 40, i % 7, i, len(text), text))
Path("c").mkdir()
for i in range(200):
    body = "".join(f"int f{i}_{j}(int x) {{ return printf(\"%d\", x * {j}); }}\n" for j in range(60))
    Path(f"c/{i}.c").write_text("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n" + body)
rules = "OBJECTS := $(patsubst %.c,%.o,$(wildcard *.c))\nall: $(OBJECTS)\n\tar rcs all.a $(OBJECTS)\n"
Path("c/Makefile").write_text(rules)
X
touch "$folder/done"
