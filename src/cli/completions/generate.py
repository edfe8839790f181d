#!/usr/bin/env python3
"""generate.py options.txt FOLDER: writes FOLDER/sbx.bash, FOLDER/_sbx (zsh) and FOLDER/sbx.fish from the one table."""
import sys
from pathlib import Path
from typing import NamedTuple


class Verb(NamedTuple):
    name: str
    positionals: str
    about: str


class Option(NamedTuple):
    names: list[str]
    value: str
    about: str

    @property
    def choices(self) -> list[str]:
        return self.value.split(",") if self.value not in ("-", "text", "file", "dir", "user") else []


def read(table: Path) -> tuple[list[Verb], dict[str, list[Option]]]:
    verbs, options = [], {}
    for line in table.read_text(encoding="utf-8").splitlines():
        if line.startswith("verb "):
            verbs.append(Verb(*line.split(" ", 3)[1:]))
        elif line.strip() and not line.startswith("#"):
            users, names, value, about = (part.strip() for part in line.split("|", 3))
            for user in users.split(","):
                options.setdefault(user, []).append(Option(names.split(), value, about))
    return verbs, options


# ---- bash ------------------------------------------------------------------------------------------------------------
BASH = """# bash completion for sbx                                               -*- shell-script -*-
# Generated from src/cli/completions/options.txt.

_sbx_images() {
  local names
  names=$("${COMP_WORDS[0]}" images 2>/dev/null | awk 'NR > 1 { print $1 }')
  mapfile -t COMPREPLY < <(compgen -W "$names oci: oci-archive: docker-archive: sif: sqsh: dir: host" -- "$1")
  # A colon ends a word for readline: without this the part before it would be written twice.
  if declare -F __ltrim_colon_completions >/dev/null; then
    __ltrim_colon_completions "$1"
  fi
}

_sbx_containers() {
  mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" ps --all --format '{{.Names}} {{.ID}}' 2>/dev/null)" -- "$1")
}

_sbx() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
  local verb='' options word index positionals=0
  # Readline breaks words at colons, and image names have them.
  if declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref -n : -c current -p previous -w words -i cword
  fi
  COMPREPLY=()
  for ((index = 1; index < cword; index++)); do
    word=${words[index]}
    case $verb/$word in
      /--root | /--log-level) ((index++)) ;;
      /-*) ;;
      /*) verb=$word ;;
@WITH_VALUE@
      */-*) ;;
      *) ((++positionals)) ;;
    esac
  done
  case $verb in
@OPTIONS@
    *) return ;;
  esac
  case $verb/$previous in
@VALUES@
  esac
  if [[ $current == -* && ($positionals -eq 0 || ($verb != run && $verb != create && $verb != exec && $verb != shell)) ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    return
  fi
  case $verb in
    '') mapfile -t COMPREPLY < <(compgen -W '@VERBS@' -- "$current") ;;
    @COMMAND@) if [[ $positionals -eq 0 ]]; then _sbx_images "$current"; else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
    @IMAGES@) _sbx_images "$current" ;;
    @CONTAINERS@) _sbx_containers "$current" ;;
    @OBJECTS@) _sbx_containers "$current"; words=("${COMPREPLY[@]}"); _sbx_images "$current"; COMPREPLY+=("${words[@]}") ;;
    @FILES@) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  esac
}
complete -F _sbx sbx
"""


def all_names(options: list[Option]) -> list[str]:
    return [name for option in options for name in option.names]


def bash(verbs: list[Verb], options: dict[str, list[Option]]) -> str:
    users = [("", options["global"])] + [(verb.name, options[verb.name]) for verb in verbs]
    with_value, cases, values = [], [], []
    for user, its in users:
        cases.append(f"    '{user}') options='{' '.join(all_names(its))}' ;;")
        valued = [f"{user}/{name}" for option in its if option.value != "-" for name in option.names]
        if user and valued:
            with_value.append(f"      {' | '.join(valued)}) ((++index)) ;;")
        for option in its:
            pattern = " | ".join(f"{user}/{name}" for name in option.names)
            if option.choices:
                values.append(f"    {pattern}) mapfile -t COMPREPLY < <(compgen -W '{' '.join(option.choices)}' -- \"$current\"); return ;;")
            elif option.value in ("file", "dir", "user"):
                flag = {"file": "-f", "dir": "-d", "user": "-u"}[option.value]
                values.append(f"    {pattern}) mapfile -t COMPREPLY < <(compgen {flag} -- \"$current\"); return ;;")
            elif option.value == "text":
                values.append(f"    {pattern}) return ;;")
    kinds = {kind: [verb.name for verb in verbs if verb.positionals in kind.split(",")] for kind in ("command", "image,images", "container,containers", "objects", "file")}
    return (BASH.replace("@WITH_VALUE@", "\n".join(with_value)).replace("@OPTIONS@", "\n".join(cases))
            .replace("@VALUES@", "\n".join(values)).replace("@VERBS@", " ".join(verb.name for verb in verbs))
            .replace("@COMMAND@", " | ".join(kinds["command"])).replace("@IMAGES@", " | ".join(kinds["image,images"])).replace("@FILES@", " | ".join(kinds["file"]))
            .replace("@CONTAINERS@", " | ".join(kinds["container,containers"])).replace("@OBJECTS@", " | ".join(kinds["objects"])))


# ---- zsh -------------------------------------------------------------------------------------------------------------
def zsh_quote(text: str) -> str:
    return text.replace("'", "'\\''").replace(":", "\\:").replace("[", "\\[").replace("]", "\\]")


def zsh_spec(option: Option) -> str:
    actions = {"file": ":file:_files", "dir": ":directory:_files -/", "user": ":user:_users", "text": ":value: ", "-": ""}
    action = f":choice:({' '.join(option.choices)})" if option.choices else actions[option.value]
    body = f"[{zsh_quote(option.about)}]{action}"
    if len(option.names) == 1:
        return f"    '*{option.names[0]}{body}'"
    return f"    '*'{{{','.join(option.names)}}}'{body}'"


def zsh(verbs: list[Verb], options: dict[str, list[Option]]) -> str:
    positionals = {"command": ["    '1:image:_sbx_images'", "    '*::command:_normal'"], "image": ["    '1:image:_sbx_images'"],
                   "images": ["    '*:image:_sbx_images'"], "containers": ["    '*:container:_sbx_containers'"], "container": ["    '1:container:_sbx_containers'", "    '*::command:_normal'"], "objects": ["    '*:object:_sbx_objects'"], "file": ["    '1:file:_files'"], "none": []}
    lines = ["#compdef sbx", "# Generated from src/cli/completions/options.txt.", "",
             "_sbx_images() {",
             "  local -a names",
             "  names=(${(f)\"$(sbx images 2>/dev/null | awk 'NR > 1 { print $1 }')\"} oci: oci-archive: docker-archive: sif: sqsh: dir: host)",
             "  compadd -a names", "}", "",
             "_sbx_containers() {", "  local -a names",
             "  names=(${=\"$(sbx ps --all --format '{{.Names}} {{.ID}}' 2>/dev/null)\"})", "  compadd -a names", "}", "",
             "_sbx_objects() {", "  _sbx_containers", "  _sbx_images", "}", "",
             "_sbx() {", "  local context state line", "  typeset -A opt_args", "  local -a arguments verbs", "  verbs=("]
    lines += [f"    '{verb.name}:{zsh_quote(verb.about)}'" for verb in verbs]
    lines += ["  )", "  _arguments -C \\"] + [zsh_spec(option) + " \\" for option in options["global"]]
    lines += ["    '1:verb:{ _describe verb verbs }' '*::word:->words'", "  [[ $state == words ]] || return 0", "  case $line[1] in"]
    for verb in verbs:
        specs = [zsh_spec(option) for option in options[verb.name]] + positionals[verb.positionals]
        lines += [f"    {verb.name}) arguments=(", *specs, "    ) ;;"]
    lines += ["    *) return 1 ;;", "  esac", "  _arguments -S -s $arguments", "}", "", "_sbx \"$@\""]
    return "\n".join(lines) + "\n"


# ---- fish ------------------------------------------------------------------------------------------------------------
def fish(verbs: list[Verb], options: dict[str, list[Option]]) -> str:
    def quoted(text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def line(condition: str, option: Option) -> str:
        flags = "".join(f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names)
        if option.choices:
            flags += f" -x -a {quoted(' '.join(option.choices))}"
        else:
            flags += {"-": "", "text": " -x", "file": " -r -F", "dir": " -x -a '(__fish_complete_directories)'",
                      "user": " -x -a '(__fish_complete_users)'"}[option.value]
        return f"complete -c sbx -n {quoted(condition)}{flags} -d {quoted(option.about)}"

    lines = ["# Generated from src/cli/completions/options.txt.", "",
             "function __sbx_images", "    sbx images 2>/dev/null | awk 'NR > 1 { print $1 }'",
             "    printf '%s\\n' oci: oci-archive: docker-archive: sif: sqsh: dir: host", "end", "",
             "function __sbx_containers", "    sbx ps --all --format '{{.Names}} {{.ID}}' 2>/dev/null | string split -n ' '", "end", "", "complete -c sbx -f"]
    lines += [line("__fish_use_subcommand", option) for option in options["global"]]
    for verb in verbs:
        seen = f"__fish_seen_subcommand_from {verb.name}"
        lines.append(f"complete -c sbx -n __fish_use_subcommand -a {verb.name} -d {quoted(verb.about)}")
        lines += [line(seen, option) for option in options[verb.name]]
        if verb.positionals == "file":
            lines.append(f"complete -c sbx -n {quoted(seen)} -F")
        elif verb.positionals in ("container", "containers"):
            lines.append(f"complete -c sbx -n {quoted(seen)} -a '(__sbx_containers)'")
        elif verb.positionals == "objects":
            lines.append(f"complete -c sbx -n {quoted(seen)} -a '(__sbx_containers) (__sbx_images)'")
        elif verb.positionals != "none":
            lines.append(f"complete -c sbx -n {quoted(seen)} -a '(__sbx_images)'")
    return "\n".join(lines) + "\n"


def main() -> None:
    verbs, options = read(Path(sys.argv[1]))
    for name, make in (("sbx.bash", bash), ("_sbx", zsh), ("sbx.fish", fish)):
        (Path(sys.argv[2]) / name).write_text(make(verbs, options), encoding="utf-8")


if __name__ == "__main__":
    main()
