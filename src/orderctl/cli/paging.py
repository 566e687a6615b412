"""A long table on a terminal, read page by page in the reader's own pager.

Only text that has been made harmless comes here (every control character of the data is escaped before), so a pager
that passes colours through passes nothing else.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess

PLAIN = ("", "cat")
_LESS = "FRX"  # ends by itself when all fits, shows colours, leaves the text on the screen


def show_paged(data: bytes) -> bool:
    """Show a text that is longer than the screen in the pager (`PAGER`, else less); False if it is yet to be written.

    That is so when all of it fits, when `PAGER` is empty or cat, and when there is no such program.
    """
    pager = os.environ.get("PAGER", "less").strip()
    lines = data.count(b"\n")
    if pager in PLAIN or lines < shutil.get_terminal_size().lines:
        return False
    try:
        command = shlex.split(pager)
        reader = subprocess.Popen(command, stdin=subprocess.PIPE, env={"LESS": _LESS, **os.environ})
    except (OSError, ValueError):
        return False
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pager's while it reads
    try:
        reader.communicate(data)  # a reader that leaves early has seen enough
    finally:
        signal.signal(signal.SIGINT, before)
    return True
