#!/usr/bin/env python3
"""Manual pages and completions name the verbs and options that `sbx --help`, `sbx VERB --help` and `sbx-overlay --help`
name; no more, no fewer.

help.py SBX MAN-FOLDER COMPLETIONS-FOLDER SBX-OVERLAY ITS-COMPLETIONS-FOLDER"""
import re
import subprocess
import sys
from pathlib import Path

NAME = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")


def verbs_of_help(text: str) -> set[str]:
    section = re.search(r"^Verbs:\n((?:  .*\n)+)", text, re.MULTILINE)
    return set(re.findall(r"^  ([a-z]+) ", section[1], re.MULTILINE)) if section else set()


def options_of_help(text: str) -> set[str]:
    """Names in the first column below a heading that ends in "ptions:"."""
    found, inside = set(), False
    for line in text.splitlines():
        if re.match(r"^[^\s].*:$", line):
            inside = line.lower().endswith("options:")
        elif inside and (column := re.match(r"^  (-[^\s,]+(?:, ?-[^\s,]+)*)", line)):
            found.update(NAME.findall(column[1].split("=")[0].replace(",", " ")))
    return found


def options_of_page(roff: str) -> set[str]:
    """Names in the tag lines (.TP) of the section OPTIONS."""
    section = re.search(r"^\.SH OPTIONS\n(.*?)(?=^\.SH |\Z)", roff, re.MULTILINE | re.DOTALL)
    if not section:
        return set()
    found = set()
    for tag in re.findall(r"^\.TP\n(.*)$", section[1], re.MULTILINE):
        plain = re.sub(r"^\.[A-Z]+ ", "", tag.replace("\\-", "-")).replace('"', " ").replace("\\fI", " ").replace("\\fR", " ")
        if plain.lstrip().startswith("-"):
            found.update(NAME.findall(re.split(r"[\[=]", plain)[0]))
    return found


def options_of_zsh(script: str, verb: str) -> set[str]:
    block = re.search(rf"^    {verb}\) arguments=\(\n(.*?)^    \) ;;", script, re.MULTILINE | re.DOTALL)
    return {name for spec in re.findall(r"'\*'?\{?([^\[']*)", block[1]) for name in NAME.findall(spec.replace(",", " "))} if block else set()


# ---- sbx-overlay: mount options are words behind -o, with "=" if they have a value --------------------------------------
def mount_options_of_help(text: str) -> set[str]:
    section = re.search(r"^Mount options:\n((?:  .*\n)+)", text, re.MULTILINE)
    return set(re.findall(r"^  ([a-z][a-z_]*=?)", section[1], re.MULTILINE)) if section else set()


def mount_options_of_page(roff: str) -> set[str]:
    """Names in the tag lines (.TP, .TQ) of the section MOUNT OPTIONS; what is in capitals is a value."""
    section = re.search(r"^\.SH MOUNT OPTIONS\n(.*?)(?=^\.SH |\Z)", roff, re.MULTILINE | re.DOTALL)
    tags = re.findall(r"^\.T[PQ]\n\.[A-Z]+ (.*)$", section[1], re.MULTILINE) if section else []
    return {name for tag in tags for name in re.findall(r"(?<![\w\\])[a-z][a-z_]*=?", tag)}


def mount_options_of_zsh(script: str) -> set[str]:
    """As `_values` has them, which knows by what follows the text in brackets that there is a value."""
    found = re.findall(r"^      '([a-z_]+)\[(?:[^]\\]|\\.)*\](:?)", script, re.MULTILINE)
    return {name + ("=" if value else "") for name, value in found}


def words_of_bash(script: Path, line: str) -> set[str]:
    return set(output("bash", "-c", 'source "$1"; COMP_LINE=$2 COMP_POINT=${#2}; _sbx_overlay; printf "%s\\n" "${COMPREPLY[@]}"',
                      "bash", str(script), line).split())


def words_of_fish(script: Path, line: str) -> set[str]:
    lines = output("fish", "--no-config", "-c", "source $argv[1]; complete -C $argv[2]", str(script), line)
    return {line.split("\t")[0] for line in lines.splitlines()}


def check_overlay(program: str, page: Path, completions: Path) -> list[str]:
    text, roff, zsh = output(program, "--help"), page.read_text(), (completions / "_sbx-overlay").read_text()
    complaints = compared(f"man/{page.name}", options_of_help(text), options_of_page(roff))
    complaints += compared(f"man/{page.name}, mount options", mount_options_of_help(text), mount_options_of_page(roff))
    if len(mount_options_of_help(text)) < 10:
        complaints.append("sbx-overlay --help names hardly any mount options")
    zsh_options = {name for names in re.findall(r"^    '\*'?\{?(-[^\['+]*)", zsh, re.MULTILINE) for name in names.rstrip("}").split(",")}
    complaints += compared("zsh, sbx-overlay", options_of_help(text), zsh_options)
    complaints += compared("zsh, sbx-overlay -o", mount_options_of_help(text), mount_options_of_zsh(zsh))
    for shell, words in (("bash", lambda line: words_of_bash(completions / "sbx-overlay.bash", line)),
                         ("fish", lambda line: words_of_fish(completions / "sbx-overlay.fish", line))):
        dashes = words("sbx-overlay -") | (words("sbx-overlay --") if shell == "fish" else set())
        complaints += compared(f"{shell}, sbx-overlay", options_of_help(text), {word for word in dashes if word.startswith("-")})
        complaints += compared(f"{shell}, sbx-overlay -o", mount_options_of_help(text), words("sbx-overlay -o "))
        complaints += compared(f"{shell}, sbx-overlay -o acl,sq", {"acl," + name for name in mount_options_of_help(text) if name.startswith("sq")},
                               words("sbx-overlay -o acl,sq"))
        # Bash breaks words at "=", and wants what is behind it only.
        value, directory = ({"0", "1"}, "/usr") if shell == "bash" else ({"ro,fsync=0", "ro,fsync=1"}, "lowerdir=/tmp:/usr/")
        complaints += compared(f"{shell}, sbx-overlay -o ro,fsync=", value, words("sbx-overlay -o ro,fsync="))
        complaints += compared(f"{shell}, sbx-overlay -o lowerdir=/tmp:/us", {directory}, words("sbx-overlay -o lowerdir=/tmp:/us"))
    return complaints


def output(*command: str) -> str:
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True).stdout


def options_of_bash(script: Path, verb: str) -> set[str]:
    return set(output("bash", "-c", 'source "$1"; COMP_WORDS=(sbx "$2" -); COMP_CWORD=2; _sbx; printf "%s\\n" "${COMPREPLY[@]}"',
                      "bash", str(script), verb).split())


def options_of_fish(script: Path, verb: str) -> set[str]:
    lines = output("fish", "--no-config", "-c", "source $argv[1]; complete -C \"sbx $argv[2] -\"", str(script), verb)
    return {line.split("\t")[0] for line in lines.splitlines() if line.startswith("-")}


def compared(what: str, wanted: set[str], got: set[str]) -> list[str]:
    return ([f"{what}: lacks {name}" for name in sorted(wanted - got)] +
            [f"{what}: has {name}, which --help has not" for name in sorted(got - wanted)])


def check(sbx: str, pages: Path, completions: Path) -> list[str]:
    top = output(sbx, "--help")
    verbs = verbs_of_help(top)
    complaints = compared("man/sbx.1", options_of_help(top), options_of_page((pages / "sbx.1").read_text()))
    if len(verbs) < 5:
        complaints.append(f"sbx --help names {len(verbs)} verbs only: {sorted(verbs)}")
    named = set(re.findall(r"^\.TP\n\.B ([a-z]+)\n", (pages / "sbx.1").read_text().split(".SH OPTIONS")[0], re.MULTILINE))
    complaints += compared("man/sbx.1, verbs", verbs, named)
    zsh = (completions / "_sbx").read_text()
    for verb in sorted(verbs):
        wanted = options_of_help(output(sbx, verb, "--help"))
        if not wanted:
            complaints.append(f"sbx {verb} --help shows no options, not even --help")
        page = pages / f"sbx-{verb}.1"
        complaints += compared(f"man/{page.name}", wanted, options_of_page(page.read_text() if page.exists() else ""))
        complaints += compared(f"zsh, {verb}", wanted, options_of_zsh(zsh, verb))
        complaints += compared(f"bash, {verb}", wanted, options_of_bash(completions / "sbx.bash", verb))
        complaints += compared(f"fish, {verb}", wanted, options_of_fish(completions / "sbx.fish", verb))
    return complaints


def prove() -> None:
    """The parsers see what is there; a check of two empty sets would be content with anything."""
    help_text = ("Usage: sbx run\n\nPositionals:\n  IMAGE   Which --not-an-option\nOptions:\n  --help    Show\n"
                 "  -e,--env NAME[=VALUE] ...   Set\n  --net,--network slirp|none   Net --no\n  --init[=false]  Init\n  -h, --hostname NAME  x\n")
    assert options_of_help(help_text) == {"--help", "-e", "--env", "--net", "--network", "--init", "-h", "--hostname"}, options_of_help(help_text)
    roff = ('.SH OPTIONS\n.TP\n.BR \\-e ", " \\-\\-env " \\fINAME\\fR[=\\fIVALUE\\fR]"\nNot \\-\\-this.\n.TP\n.B slirp\n.TP\n'
            '.BI \\-\\-root " DIR"\n.TP\n.BR \\-\\-init [=\\fIBOOL\\fR]\n.TP\n.B \\-\\-read\\-only\n.SH NEXT\n.TP\n.B \\-\\-other\n')
    assert options_of_page(roff) == {"-e", "--env", "--root", "--init", "--read-only"}, options_of_page(roff)
    zsh = "    run) arguments=(\n    '*--rm[Remove]'\n    '*'{-e,--env}'[Set --no]:value: '\n    '1:image:_x'\n    ) ;;\n"
    assert options_of_zsh(zsh, "run") == {"--rm", "-e", "--env"}, options_of_zsh(zsh, "run")
    assert verbs_of_help("Verbs:\n  run   Run\n  load  Load\n\nOptions:\n  --x y\n") == {"run", "load"}
    mount = "usage: x -o lowerdir=DIR\nOptions:\n  -f  Stay\n\nMount options:\n  lowerdir=DIR[:DIR]...  Lower one\n  ro   Read-only\n"
    assert options_of_help(mount) == {"-f"}, options_of_help(mount)
    assert mount_options_of_help(mount) == {"lowerdir=", "ro"}, mount_options_of_help(mount)
    roff = ('.SH OPTIONS\n.TP\n.B \\-f\n.SH MOUNT OPTIONS\nText of no=option.\n.TP\n.BI lowerdir= DIR\\fR[: DIR\\fR...]\nText.\n.TP\n.B volatile\n'
            '.TQ\n.BR fsync=0 | 1\nDo not.\n.TP\n.BR ro ", " nosuid\nAs.\n.PP\n.BR index ,\n.SH NEXT\n.TP\n.B other\n')
    assert mount_options_of_page(roff) == {"lowerdir=", "volatile", "fsync=", "ro", "nosuid"}, mount_options_of_page(roff)
    zsh = "    '*-f[Stay]' \\\n      'fsync[Whether \\[to\\]]:choice:(0 1)' \\\n      'ro[Read-only]' \\\n"
    assert mount_options_of_zsh(zsh) == {"fsync=", "ro"}, mount_options_of_zsh(zsh)
    assert compared("x", {"--a"}, {"--b"}) == ["x: lacks --a", "x: has --b, which --help has not"]


if __name__ == "__main__":
    prove()
    found = check(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    found += check_overlay(sys.argv[4], Path(sys.argv[2]) / "sbx-overlay.1", Path(sys.argv[5]))
    print("\n".join(found) or "pages and completions agree with --help")
    sys.exit(1 if found else 0)
