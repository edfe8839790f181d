#!/usr/bin/env python3
"""Manual pages and completions name the verbs and options that `sbx --help` and `sbx VERB --help` name; no more, no fewer.

help.py SBX MAN-FOLDER COMPLETIONS-FOLDER"""
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
    assert compared("x", {"--a"}, {"--b"}) == ["x: lacks --a", "x: has --b, which --help has not"]


if __name__ == "__main__":
    prove()
    found = check(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    print("\n".join(found) or "pages and completions agree with --help")
    sys.exit(1 if found else 0)
