"""Exit codes: the one place where failures become numbers.

Several at once: the first that applies in the order of `_ORDER`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from orderctl.model import errors
from orderctl.model.text import Text

OK, BUG, USAGE, SOME, PENDING = 0, 1, 2, 3, 4
DATA, NO_INPUT, CREATE, IO, TEMPORARY, NO_PERMISSION, CONFIG = 65, 66, 73, 74, 75, 77, 78
INTERRUPTED, CLOSED_PIPE = 130, 141

MEANINGS: dict[int, str] = {
    OK: "done, or nothing to do",
    BUG: "a bug: report it; --debug shows the traceback",
    USAGE: "the command line cannot be carried out as written",
    SOME: "done, except some orders: see their problems or the rejects, fix, run again",
    PENDING: "an effect is unknown or in conflict: orderctl ledger pending",
    DATA: "the input is no batch, or not of the kind needed",
    NO_INPUT: "an input file is missing",
    CREATE: "an output cannot be created",
    IO: "writing failed (disk full): make room, run the same command again",
    TEMPORARY: "a temporary failure: run the same command again",
    NO_PERMISSION: "credentials are missing or refused",
    CONFIG: "configuration or rules are invalid",
    INTERRUPTED: "interrupted",
    CLOSED_PIPE: "the reader of the output went away",
}
_ORDER = (BUG, CONFIG, IO, PENDING, NO_PERMISSION, TEMPORARY, SOME)
_CODES: tuple[tuple[type[Exception], int], ...] = (
    (errors.UsageError, USAGE),
    (errors.InputMissing, NO_INPUT),
    (errors.DataError, DATA),
    (errors.ConfigError, CONFIG),
    (errors.CannotCreate, CREATE),
    (errors.OutputFailed, IO),
    (errors.Unauthorized, NO_PERMISSION),
    (errors.Temporary, TEMPORARY),
    (errors.OutcomeUnknown, PENDING),
    (errors.Refused, SOME),
)


def code_of(error: Exception) -> int:
    """Give the exit code of a failure; a failure without one of ours is a bug."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), BUG)


def output_failed(error: OSError, who: str) -> int:
    """Tell that stdout took no more, unless its reader just went away; nothing more is written to it."""
    from orderctl.cli.console import locale_of

    _forget_stdout()
    if isinstance(error, BrokenPipeError):
        return CLOSED_PIPE
    text = Text("writing to {target} failed: {why}", target="stdout", why=error.strerror or str(error))
    print(f"{who}: {text.render(locale_of())}", file=sys.stderr)
    return IO


def leave_stdout() -> None:
    """Write what is still held for stdout; if that fails, nothing is written any more.

    Else Python would try again at the very end, and end with a code of its own.
    """
    try:
        sys.stdout.flush()
    except OSError:
        _forget_stdout()


def _forget_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@dataclass
class Tally:
    """What went less than well in a run, counted; `code()` is what the process ends with."""

    rejected: int = 0
    blocked: int = 0
    waiting: int = 0
    pending: int = 0
    temporary: int = 0
    unauthorized: int = 0
    misconfigured: int = 0

    def add(self, error: Exception, count: int = 1) -> None:
        """Count a failure that stopped a part of the run (a shop, a parcel), not the whole."""
        names = {
            PENDING: "pending",
            NO_PERMISSION: "unauthorized",
            TEMPORARY: "temporary",
            CONFIG: "misconfigured",
        }
        name = names.get(code_of(error), "blocked")
        setattr(self, name, getattr(self, name) + count)

    def code(self) -> int:
        """Give the exit code. Waiting rows are no failure."""
        found = {
            CONFIG: self.misconfigured,
            PENDING: self.pending,
            NO_PERMISSION: self.unauthorized,
            TEMPORARY: self.temporary,
            SOME: self.rejected + self.blocked,
        }
        return next((code for code in _ORDER if found.get(code)), OK)
