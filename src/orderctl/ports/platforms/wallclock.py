"""Times as Chinese platforms write them: `yyyy-MM-dd HH:mm:ss` of the clocks in Beijing, without an offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from orderctl.model.instant import parse_instant, write_instant

BEIJING = timezone(timedelta(hours=8))
LOCAL = "%Y-%m-%d %H:%M:%S"
FIRST_YEAR = 1970
"""Earlier ones stand for "no time": some platforms write the year 1."""


def beijing(instant: str) -> str:
    """Write an instant as wall-clock text."""
    return parse_instant(instant).astimezone(BEIJING).strftime(LOCAL)


def instant_of(local: object) -> str | None:
    """Read wall-clock text as an instant; None where it is missing, no time, or stands for none."""
    try:
        moment = datetime.strptime(str(local), LOCAL).replace(tzinfo=BEIJING)
    except ValueError:
        return None
    return write_instant(moment.astimezone(UTC)) if moment.year >= FIRST_YEAR else None
