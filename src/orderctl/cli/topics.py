"""The top help and completion, answered without importing anything heavy."""

from __future__ import annotations

import difflib
import os
import sys
from pathlib import Path

from orderctl.cli.table import COMMANDS, OPTIONS

__all__ = ["COMMANDS", "OPTIONS", "completion", "nearest", "top_help"]

_PIPE = "orderctl fetch | orderctl normalize | orderctl merge | orderctl route | orderctl print | orderctl ship | orderctl report"
_SCRIPTS = {
    "bash": """_orderctl() { COMPREPLY=($(orderctl --complete "${COMP_WORDS[@]:1:COMP_CWORD}")); }
complete -o default -F _orderctl orderctl
""",
    "zsh": """#compdef orderctl
_orderctl() { local -a found; found=(${(f)"$(orderctl --complete "${words[@]:1:$((CURRENT-1))}")"})
  if (( $#found )); then compadd -- $found; else _files; fi }
compdef _orderctl orderctl
""",
    "fish": """complete -c orderctl -a '(orderctl --complete (commandline -opc)[2..-1] (commandline -ct))'
""",
}


def top_help() -> str:
    """Give the text of `orderctl --help` in the reader's language."""
    from orderctl.cli.console import locale_of
    from orderctl.model.zh.cli import SENTENCES

    known = SENTENCES if locale_of() == "zh" else {}
    width = max(len(name) for name in COMMANDS) + 2
    rows = [f"  {name:<{width}}{known.get(c.help, c.help)}" for name, c in COMMANDS.items()]

    def say(text: str) -> str:
        return known.get(text, text)

    return "\n".join(
        [
            say("orderctl: the order desk in a shell."),
            "",
            f"  set -o pipefail; {_PIPE}",
            "",
            say(
                "Usage: orderctl COMMAND [OPTIONS]    orderctl COMMAND --help    orderctl completion bash|zsh|fish"
            ),
            "",
            *rows,
            "",
            say(
                "Exit codes: 0 done, 3 except some orders, 4 see ledger pending, 65-78 as in sysexits; docs/exit-codes.md"
            ),
            "",
        ]
    )


def nearest(name: str) -> str | None:
    """Give the command most like `name`, if one is."""
    return next(iter(difflib.get_close_matches(name, COMMANDS, n=1)), None)


def completion(argv: list[str]) -> tuple[int, str]:
    """Give exit code and text: a shell's completion script, or (`--complete WORDS...`) the words that may stand last."""
    if argv[0] == "completion":
        shell = argv[1] if len(argv) > 1 else Path(os.environ.get("SHELL", "bash")).name
        if shell not in _SCRIPTS:
            print("usage: orderctl completion bash|zsh|fish", file=sys.stderr)
            return 2, ""
        return 0, _SCRIPTS[shell]
    *before, last = argv[1:] or [""]
    words: list[str] = list(COMMANDS) if not before else OPTIONS.get(before[0], [])
    return 0, "".join(f"{word}\n" for word in words if word.startswith(last))
