#!/usr/bin/env python3
"""System calls that make, move or destroy kernel objects are made in src/sys only, where a type owns the result.

A call is told from a declaration and from a method by the token before it. A line may be let through by a comment
`lint: raw-syscall: REASON` on it."""
import re
from pathlib import Path

from lintlib import Sample, code_only, cpp_files, line_of, main, text

CALLS = """open openat openat2 creat close dup dup2 dup3 fork vfork clone clone3 unshare setns mount umount umount2
 pivot_root move_mount open_tree fsopen fsmount mount_setattr kill tgkill tkill pidfd_open pidfd_send_signal waitpid
 waitid wait4 socket socketpair accept accept4 pipe pipe2 memfd_create eventfd signalfd timerfd_create epoll_create1
 inotify_init1 prctl ptrace seccomp chroot setuid setgid setresuid setresgid setgroups execve execveat execv execvp
 fexecve posix_spawn popen system syscall flock setxattr lsetxattr fsetxattr""".split()
CALL = re.compile(r"(?P<global>(?<![\w>]\s)(?<![\w>])::\s*)?\b(?P<name>" + "|".join(CALLS) + r")\s*\(")
BEFORE = re.compile(r"([\w]+|->|::|[^\s\w])\s*$")
# An identifier before the name makes it a declaration, unless it is one of these.
STATEMENTS = {"return", "else", "do", "case", "co_return", "throw", "not", "and", "or", "goto"}
EXEMPT = re.compile(r"lint: raw-syscall: \S+")


def is_call(code: str, found: re.Match) -> bool:
    if found["global"]:
        return True
    before = BEFORE.search(code, 0, found.start("name"))
    token = before[1] if before else ";"
    if token in (".", "->", "::"):
        return False  # a method, or a function of some class or namespace
    if token in (">", "&", "*") or token == "~":
        # `Result<X> open(` and `Fd& open(` declare; `a > open(` and `&open(` do not occur in this house.
        return False
    return not (re.fullmatch(r"\w+", token) and token not in STATEMENTS)


def check(root: Path) -> list[str]:
    complaints = []
    for file in cpp_files(root, "src"):
        relative = file.relative_to(root)
        if relative.parts[1] == "sys":
            continue
        content = text(file)
        code, lines = code_only(content), content.splitlines()
        for found in CALL.finditer(code):
            number = line_of(code, found.start("name"))
            if is_call(code, found) and not EXEMPT.search(lines[number - 1]):
                complaints.append(f"{relative}:{number}: {found['name']}() belongs in src/sys")
    return complaints


SAMPLES = [
    Sample({"src/sys/a.cpp": "int f() { return ::open(p, 0); }\n",
            "src/store/a.cpp": "auto fd = sys::open(p); // open( is done there\nauto x = \"fork(\";\nfile.open(x);\n"
                               "p->kill(9);\nstatic Result<Fd> open(Fd f);\nvoid close();\nlayer::Tree::open(x);\n"
                               "Result<X> X::open(Fd fd) {}\nFd& dup(int);\nreopen(x); mount_point(3);\n"}, []),
    Sample({"src/store/a.cpp": "int f() {\n  return open(p, 0);\n}\n"}, ["a.cpp:2: open()"]),
    Sample({"src/store/a.cpp": "int fd = ::openat(1, p, 0);\nif (fork() == 0) {\n::kill(1, 9);\n}\n"},
           ["openat()", "fork()", "kill()"]),
    Sample({"src/net/a.cpp": "auto s = socket(1, 2, 3);  // lint: raw-syscall: libslirp wants a number\nmount(a, b);\n"},
           ["a.cpp:2: mount()"]),
]

if __name__ == "__main__":
    main(check, SAMPLES)
