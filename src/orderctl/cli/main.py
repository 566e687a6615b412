"""The entry point: answers what needs no work at once, then loads only the command that was named.

`--version`, the top help and completion come from the generated `cli/table.py`; nothing heavy is imported for them.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run `orderctl` with the process's arguments and end the process."""
    sys.exit(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Carry out one command line and give its exit code."""
    first = argv[0] if argv else "--help"
    if first in ("--version", "-V"):
        from orderctl import __version__

        print(f"orderctl {__version__}")
        return 0
    if first in ("--help", "-h", "help") and len(argv) < 2:
        from orderctl.cli.topics import top_help

        return _print(top_help())
    if first in ("completion", "--complete"):
        from orderctl.cli.topics import completion

        return completion(argv)
    from orderctl.cli.app import invoke

    return invoke([*argv[1:], "--help"] if first == "help" else argv)


def _print(text: str) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return 0
