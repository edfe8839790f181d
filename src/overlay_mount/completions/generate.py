#!/usr/bin/env python3
"""generate.py options.txt FOLDER: writes FOLDER/sbx-overlay.bash, FOLDER/_sbx-overlay (zsh) and FOLDER/sbx-overlay.fish."""
import sys
from pathlib import Path
from typing import NamedTuple


class Option(NamedTuple):
    names: list[str]
    value: str
    about: str

    @property
    def choices(self) -> list[str]:
        return self.value.split(",") if self.value not in ("-", "text", "dir", "dirs", "mount") else []


def read(table: Path) -> tuple[list[Option], list[Option]]:
    """Those of the command line, and those of a mount."""
    options, mount = [], []
    for line in table.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            names, value, about = (part.strip() for part in line.split("|", 2))
            (options if names.startswith("-") else mount).append(Option(names.split(), value, about))
    return options, mount


# ---- bash ------------------------------------------------------------------------------------------------------------
BASH = """# bash completion for sbx-overlay                                       -*- shell-script -*-
# Generated from src/overlay_mount/completions/options.txt.

# The words that begin with the first argument, of the others.
_sbx_overlay_words() {
  mapfile -t COMPREPLY < <(compgen -W "${*:2}" -- "$1")
}

_sbx_overlay() {
  # Readline breaks words at "=" and ":"; mount options have both.
  local line=${COMP_LINE:0:COMP_POINT} current before given item value
  current=${line##*[[:space:]]}
  before=${line%"$current"}
  read -ra before <<<"$before"
  COMPREPLY=()
  if [[ ${before[-1]} == -o ]]; then
    item=${current##*,}
  elif [[ $current == -o?* ]]; then
    item=${current#-o}
    item=${item##*,}
  elif [[ $current == -* ]]; then
    _sbx_overlay_words "$current" @OPTIONS@
    return
  else
    mapfile -t COMPREPLY < <(compgen -d -- "$current")
    compopt -o filenames 2>/dev/null
    return
  fi
  compopt -o nospace 2>/dev/null
  value=${item#*=}
  case $item in
@VALUES@
    *=*) return ;;
    *) _sbx_overlay_words "$value" @MOUNT@ ;;
  esac
  # What readline replaces of the word must come again with each, and no more.
  given=${current%"$value"}
  [[ $COMP_WORDBREAKS != *=* ]] || given=${given##*=}
  [[ $COMP_WORDBREAKS != *:* ]] || given=${given##*:}
  COMPREPLY=("${COMPREPLY[@]/#/$given}")
}
complete -F _sbx_overlay sbx-overlay
"""


def names_of(options: list[Option]) -> str:
    return " ".join(name for option in options for name in option.names)


def bash(options: list[Option], mount: list[Option]) -> str:
    values = []
    for option in mount:
        name = option.names[0]
        if option.choices:
            values.append(f"    {name}*) _sbx_overlay_words \"$value\" {' '.join(option.choices)} ;;")
        elif option.value in ("dir", "dirs"):
            last = "value=${value##*:}; " if option.value == "dirs" else ""
            values.append(f"    {name}*) {last}mapfile -t COMPREPLY < <(compgen -d -- \"$value\") ;;")
    return (BASH.replace("@OPTIONS@", names_of(options)).replace("@VALUES@", "\n".join(values)).replace("@MOUNT@", names_of(mount)))


# ---- zsh -------------------------------------------------------------------------------------------------------------
def zsh_quote(text: str) -> str:
    return text.replace("'", "'\\''").replace(":", "\\:").replace("[", "\\[").replace("]", "\\]")


def zsh(options: list[Option], mount: list[Option]) -> str:
    lines = ["#compdef sbx-overlay", "# Generated from src/overlay_mount/completions/options.txt.", "", "_sbx_overlay() {",
             "  local context state line ret=1", "  typeset -A opt_args", "  _arguments -s \\"]
    for option in options:
        names = option.names[0] if len(option.names) == 1 else "'{" + ",".join(option.names) + "}'"
        action = "+[" + zsh_quote(option.about) + "]:option:->mount" if option.value == "mount" else f"[{zsh_quote(option.about)}]"
        lines.append(f"    '*{names}{action}' \\")
    lines += ["    '1:mount point:_files -/' && ret=0", "  if [[ $state == mount ]]; then", "    _values -s , option \\"]
    actions = {"-": "", "text": ":value: ", "dir": ":directory:_files -/", "dirs": ":directories:_dir_list"}
    for option in mount:
        action = f":choice:({' '.join(option.choices)})" if option.choices else actions[option.value]
        lines.append(f"      '{option.names[0].rstrip('=')}[{zsh_quote(option.about)}]{action}' \\")
    lines[-1] = lines[-1].removesuffix(" \\") + " && ret=0"
    return "\n".join([*lines, "  fi", "  return ret", "}", "", '_sbx_overlay "$@"']) + "\n"


# ---- fish ------------------------------------------------------------------------------------------------------------
FISH = """# Generated from src/overlay_mount/completions/options.txt.

# Mount options are one word: what is before the last comma comes again with each.
function __sbx_overlay_mount_options
    set -l word (string replace -r '^-o' '' -- (commandline -ct))
    set -l item (string replace -r '^.*,' '' -- $word)
    set -l head (string sub -l (math (string length -- "$word") - (string length -- "$item")) -- "$word")
    set -l name (string replace -rf '=.*' = -- $item)
    set -l value (string replace -r '^[^=]*=' '' -- $item)
    switch "$name"
@VALUES@
        case ''
            printf "$head%s\\n" @MOUNT@
    end
end

complete -c sbx-overlay -x -a '(__fish_complete_directories)'
"""


def fish(options: list[Option], mount: list[Option]) -> str:
    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    values = []
    for option in mount:
        if option.choices:
            values += [f"        case {option.names[0]}", f"            printf \"$head$name%s\\n\" {' '.join(option.choices)}"]
        elif option.value == "dir":
            values += [f"        case {option.names[0]}", "            printf \"$head$name%s\\n\" (__fish_complete_directories $value '')"]
        elif option.value == "dirs":
            values += [f"        case {option.names[0]}", "            set -l above (string match -r '^.*:' -- $value)",
                       "            printf \"$head$name$above%s\\n\" (__fish_complete_directories (string replace -r '^.*:' '' -- $value) '')"]
    described = " ".join(quoted(f"{option.names[0]}\t{option.about}") for option in mount)
    lines = [FISH.replace("@VALUES@", "\n".join(values)).replace("@MOUNT@", described).rstrip("\n")]
    for option in options:
        flags = "".join(f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names)
        flags += " -x -a '(__sbx_overlay_mount_options)'" if option.value == "mount" else ""
        lines.append(f"complete -c sbx-overlay{flags} -d {quoted(option.about)}")
    return "\n".join(lines) + "\n"


def main() -> None:
    options, mount = read(Path(sys.argv[1]))
    for name, make in (("sbx-overlay.bash", bash), ("_sbx-overlay", zsh), ("sbx-overlay.fish", fish)):
        (Path(sys.argv[2]) / name).write_text(make(options, mount), encoding="utf-8")


if __name__ == "__main__":
    main()
