"""``arc-inspector completion SHELL``: a script that completes commands and options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final

import typer

from inspector.commands.subcommands import SUBCOMMANDS
from inspector.commands.support.output import write_text
from inspector.errors import UsageError

PROGRAM: Final = "arc-inspector"
Words = Mapping[str, tuple[str, ...]]
"""Options of each command."""


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print a script that completes commands and options in a shell.

    For bash: `source <(arc-inspector completion bash)`.
    """
    writer = WRITERS.get(shell)
    if writer is None:
        raise UsageError(f"the shells are {', '.join(WRITERS)}: {shell}")
    write_text(writer(command_words()))


def command_words() -> Words:
    """The options of each command, from the table of subcommands."""
    return {each.name: _options(each.load()) for each in SUBCOMMANDS}


def _options(command: Any) -> tuple[str, ...]:
    found = [word for each in command.params for word in (*each.opts, *each.secondary_opts)]
    return tuple(sorted({"--help", *(word for word in found if word.startswith("--"))}))


def _bash(words: Words) -> str:
    cases = "\n".join(
        f"    {name}) options='{' '.join(options)}' ;;" for name, options in words.items()
    )
    return f"""_arc_inspector() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" options=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{" ".join(words)} --help --version' -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
  esac
}}
complete -o default -F _arc_inspector {PROGRAM}
"""


def _zsh(words: Words) -> str:
    cases = "\n".join(
        f"    {name}) options=({' '.join(options)}) ;;" for name, options in words.items()
    )
    return f"""#compdef {PROGRAM}
_arc_inspector() {{
  local -a names options
  names=({" ".join(words)})
  if (( CURRENT == 2 )); then
    compadd -- $names --help --version
    return
  fi
  case $words[2] in
{cases}
  esac
  if [[ $PREFIX == -* ]]; then
    compadd -- $options
  else
    _files
  fi
}}
compdef _arc_inspector {PROGRAM}
"""


def _fish(words: Words) -> str:
    lines = [f"complete -c {PROGRAM} -n __fish_use_subcommand -f -a '{' '.join(words)}'"]
    for name, options in words.items():
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        lines += [f"complete -c {PROGRAM} {seen} -l {option[2:]}" for option in options]
    return "\n".join(lines) + "\n"


WRITERS: Final[Mapping[str, Callable[[Words], str]]] = MappingProxyType(
    {"bash": _bash, "zsh": _zsh, "fish": _fish}
)
"""The script of each shell."""
