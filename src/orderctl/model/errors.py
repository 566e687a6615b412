"""Failures, grouped by what the caller should do next.

`cli/exits.py` alone turns them into exit codes. Messages say where, what and what next; they never carry a
person's data, a token or a response body.
"""

from __future__ import annotations

from orderctl.model.text import Locale, Text


class OrderctlError(Exception):
    """Base of every failure the program explains to its user."""

    def __init__(self, text: Text, *, hint: Text | None = None) -> None:
        super().__init__(str(text))
        self.text = text
        self.hint = hint

    def render(self, locale: Locale = "en") -> str:
        """Write the failure, and what to do about it when that is known, in `locale`."""
        shown = self.text.render(locale)
        return f"{shown} ({self.hint.render(locale)})" if self.hint else shown


class UsageError(OrderctlError):
    """The command line cannot be carried out as written. Fix it."""


class InputMissing(OrderctlError):
    """A named input file does not exist or cannot be opened."""


class DataError(OrderctlError):
    """An input is no batch, or not of the kind the command needs."""


class ConfigError(OrderctlError):
    """Configuration or rules are invalid; the text names file, line and column."""


class CannotCreate(OrderctlError):
    """An output cannot be created where it was asked for."""


class OutputFailed(OrderctlError):
    """Writing failed half-way (disk full, device gone). Make room and run the same command again."""


class PortError(OrderctlError):
    """The outside world did not do what was asked."""

    def __init__(
        self, text: Text, *, hint: Text | None = None, code: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(text, hint=hint)
        self.code = code
        self.retry_after_s = retry_after_s


class Refused(PortError):
    """It did not happen and will not happen as asked. `code` is the other side's own code."""


class Temporary(PortError):
    """It did not happen; the same request may succeed later."""


class Unauthorized(PortError):
    """It did not happen: credentials are missing, expired or refused."""


class OutcomeUnknown(PortError):
    """It may have happened. Never repeat without looking it up first."""
