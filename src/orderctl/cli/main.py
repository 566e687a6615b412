"""The entry point: answers what needs no work at once, then loads only the command that was named.

`--version`, the top help and completion come from the generated `cli/table.py`; nothing heavy is imported for them.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run `orderctl` with the process's arguments and end the process."""
    _open_missing_streams()
    sys.exit(run(sys.argv[1:]))


def _open_missing_streams() -> None:
    """Fill in what the caller closed: empty input, output that fails. Else the next file would take its number."""
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR if number == 2 else os.O_RDONLY)
            setattr(sys, name, os.fdopen(opened, mode))


def run(argv: list[str]) -> int:
    """Carry out one command line and give its exit code."""
    first = argv[0] if argv else "--help"
    if first in ("--version", "-V"):
        from orderctl import __version__

        return _print(f"orderctl {__version__}\n")
    if first in ("--help", "-h", "help") and len(argv) < 2:
        from orderctl.cli.topics import top_help

        return _print(top_help())
    if first in ("completion", "--complete"):
        from orderctl.cli.topics import completion

        code, text = completion(argv)
        return _print(text) if code == 0 else code
    from orderctl.cli.app import invoke

    return invoke([*argv[1:], "--help"] if first == "help" else argv)


def _print(text: str) -> int:
    from orderctl.cli.exits import output_failed

    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        return output_failed(error, "orderctl")
    return 0
