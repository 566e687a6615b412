"""How platforms write instants, amounts and opaque ids: what several stand-ins have in common.

The one invariant: everything depends on the arguments alone, so a world can be made again byte for byte.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone

GMT8 = timezone(timedelta(hours=8))


def beijing(at: float) -> str:
    """Write an epoch second as Beijing time without a zone: `2026-11-18 09:30:00`."""
    return datetime.fromtimestamp(at, GMT8).strftime("%Y-%m-%d %H:%M:%S")


def utc(at: float) -> str:
    """Write an epoch second as UTC with Z: `2026-11-18T01:30:00Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def yuan(fen: int) -> str:
    """Write an amount of minor units as text with two decimals."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def fen(text: str) -> int:
    """Read what `yuan` wrote, if it is not negative."""
    whole, _, cents = text.partition(".")
    return int(whole) * 100 + int(cents)


def digest(*parts: object) -> str:
    """Give 43 characters of opaque url-safe text that depends on all parts."""
    raw = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
