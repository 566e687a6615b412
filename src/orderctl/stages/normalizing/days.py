"""Days to ship or to deliver on, as notes name them, told as dates.

A day without a year, or told by its weekday or as "tomorrow", counts from the day the order was placed, never from
today, so that the same note means the same day whenever it is read. When a seller wrote a note nobody knows, so what
a seller tells by weekday or as "tomorrow" is a wish without a date.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.instant import FORMAT

_DAY = (
    r"(?:(?:(?P<year>20\d{2})\s*[年/.-]\s*)?(?P<month>\d{1,2})\s*[月/.-]\s*(?P<day>\d{1,2})\s*[日号]?"
    r"|(?P<only>\d{1,2})\s*[日号]|(?P<word>本?月底|今天|今日|今晚|明天|明日|明早|后天|大后天)"
    r"|(?P<week>下个?|本|这个?)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天]))"
    r"(?:\s*[(（][^)）]{1,6}[)）]|\s*(?:周|星期|礼拜)[一二三四五六日天])?(?:上午|下午|中午|晚上|早上|当天)?\s*"
)
_SIDE = r"(?P<side>之前|以前|前|之后|以后|过后|后|起|开始)?"
_NOT = r"(?P<not>(?:都|请|千万|先|再|麻烦)*(?:不要|不用|不能|别|勿|不))?"
_POLITE = r"(?P<again>(?:再|请|麻烦|帮我|帮忙|给我|务必|必须|一定要?|可以|能|统一|一起|安排|左右|准时|把货|货|要|就|\s){0,4})"
_SHIP = r"发货|发出|寄出|出货|发走|发件|发|寄"
_BRING = r"送达|送到|到货|收到|收货|送货|配送|派送|到|送|用"
_CHINESE = rf"{_DAY}{_SIDE}\s*{_NOT}{_POLITE}(?P<verb>{_SHIP}|{_BRING})"
_VERB_FIRST = rf"(?P<verb>发货|发出|寄出|预约|送货|收货|配送)(?P<again>)(?P<not>)(?:发货)?(?:时间|日期)?\s*[:：是为在到至]?\s*{_DAY}{_SIDE}"
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_WEEKDAYS = "mon|tue|wed|thu|fri|sat|sun"
_ENGLISH_DAY = (
    rf"(?:(?P<month>{_MONTHS})[a-z]*\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year>20\d\d))?"
    rf"|(?P<first>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<then>{_MONTHS})[a-z]*"
    r"|(?P<iso>20\d\d-\d\d-\d\d)"
    rf"|(?:this\s+)?(?P<week>next\s+)?(?P<weekday>{_WEEKDAYS})(?:day|sday|nesday|rsday|urday)?\b"
    r"|(?P<word>today|tomorrow)\b)"
)
_ENGLISH = (
    r"(?i)\b(?P<not>(?:do not |don[’']?t |not )?)"
    r"(?P<verb>ship|send|dispatch|mail|hold|wait|deliver|arrive|need it|needed|need this)[a-z]*\s+"
    r"(?:(?:it|this|them|out|my|the|order|parcel|package|only|please|here)\s+){0,3}"
    rf"(?P<side>on|by|before|after|from|until|till|no later than|no earlier than|not before)?\s*{_ENGLISH_DAY}"
)
_ENGLISH_SIDE = rf"(?i)\b(?P<side>not before|no earlier than|no later than)\s+{_ENGLISH_DAY}"
_SOME_DAY = (
    rf"[月号日周]|星期|礼拜|[今明后][天日晚早]|\d[./-]\d|(?i)\b(?:{_MONTHS}|{_WEEKDAYS})|today|tomorrow"
)
_PARTS = ("year", "month", "day", "only", "word", "week", "weekday", "side", "not", "again", "verb")
_ALL = (*_PARTS, "first", "then", "iso")
_DAYS_ON = {"今": 0, "明": 1, "后": 2, "大": 3, "to": 0, "tom": 1}
_UNTIL = ["until", "till"]
_BEFORE = ["之前", "以前", "前", "by", "before", "no later than"]
_AFTER = [
    "之后",
    "以后",
    "过后",
    "后",
    "起",
    "开始",
    "after",
    "from",
    "until",
    "till",
    "no earlier than",
    "not before",
]


def read_days(notes: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Give the days that `notes` name: `note at end role rule read day_kind day_avoid order`, `read` as a date.

    `day_kind` is ship_on, ship_by (at the latest) or ship_from (at the earliest), or the same of deliver. Of each of
    the four ways to write a day the first in a note is read.

    Args:
        notes: columns `note source text placed_at`.
        zone: in which the day of `placed_at` is told.
    """
    some = notes.filter(pl.col("text").str.contains(_SOME_DAY))
    placed = pl.col("placed_at").str.to_datetime(FORMAT, strict=False, time_unit="ms", time_zone="UTC")
    some = some.with_columns(placed=placed.dt.convert_time_zone(zone).dt.date())
    found = pl.concat(
        [_matched(some, pattern) for pattern in (_CHINESE, _VERB_FIRST, _ENGLISH, _ENGLISH_SIDE)]
    )
    found = found.with_columns(date=_date()).filter(
        pl.col("date").is_not_null() | pl.any_horizontal(pl.col("word", "weekday").is_not_null()) & ~_BY_BUYER
    )
    side, no = pl.col("side").str.to_lowercase(), pl.col("not").str.len_bytes().fill_null(0) > 0
    early, late = side.is_in(_BEFORE).fill_null(False), side.is_in(_AFTER).fill_null(False)
    until = side.is_in(_UNTIL).fill_null(False)
    again = pl.col("again").str.contains("再").fill_null(False) & ~no
    waits = pl.col("verb").str.to_lowercase().is_in(["hold", "wait"]).fill_null(False)
    mode = (
        pl.when((early & no) | (late & (~no | until)) | ((again | waits) & ~early))
        .then(pl.lit("from"))
        .when((late & no & ~until) | early)
        .then(pl.lit("by"))
        .otherwise(pl.lit("on"))
    )
    brings = pl.col("verb").str.contains(rf"(?i)^(?:{_BRING}|deliver|arrive|need)").fill_null(False)
    return found.select(
        "note",
        "at",
        "end",
        role=pl.lit("wish"),
        rule=pl.lit(None, dtype=pl.Int64),
        read=pl.col("date").cast(pl.String),
        day_kind=pl.when(brings).then(pl.lit("deliver_")).otherwise(pl.lit("ship_")) + mode,
        day_avoid=no & (mode == "on"),
        order=pl.lit(-1, dtype=pl.Int64),
    )


_BY_BUYER = pl.col("source") == "buyer_note"


def _matched(notes: pl.DataFrame, pattern: str) -> pl.DataFrame:
    """Give the parts of the first match of `pattern` in each note, and its place."""
    hit = notes.filter(pl.col("text").str.contains(pattern))
    text = pl.col("text").str
    found = hit.select(
        "note",
        "source",
        "placed",
        text.find(pattern).cast(pl.UInt32).alias("at"),
        whole=text.extract(pattern, 0),
        parts=text.extract_groups(pattern),
    ).unnest("parts")
    blank = [pl.lit(None, dtype=pl.String).alias(name) for name in _ALL if name not in found.columns]
    found = found.with_columns(*blank).with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in _ALL
    )
    end = (pl.col("at") + pl.col("whole").str.len_bytes()).cast(pl.UInt32)
    return found.select("note", "source", "placed", "at", *_ALL, end=end)


def _date() -> pl.Expr:
    """Give the date of the parts of a match; null for one that is in no calendar or cannot be told."""
    placed = pl.col("placed")
    months = {name: number for number, name in enumerate(_MONTHS.split("|"), start=1)}
    named = pl.coalesce("month", "then").str.to_lowercase()
    month = named.replace_strict(months, default=None, return_dtype=pl.Int64).fill_null(
        named.cast(pl.Int64, strict=False)
    )
    day = pl.coalesce("day", "first").cast(pl.Int64, strict=False)
    told = pl.col("year").cast(pl.Int64, strict=False)
    # an order of December that names the third of January means the next one
    this_year = _day_of(placed.dt.year(), month, day)
    next_year = _day_of(placed.dt.year() + 1, month, day)
    near = pl.when(this_year < placed.dt.offset_by("-60d")).then(next_year).otherwise(this_year)
    only = pl.col("only").cast(pl.Int64, strict=False)
    this_month = _day_of(placed.dt.year(), placed.dt.month(), only)
    coming = placed.dt.offset_by("1mo")
    next_month = _day_of(coming.dt.year(), coming.dt.month(), only)
    relative = pl.when(_BY_BUYER).then(pl.coalesce(_by_word(placed), _by_weekday(placed)))
    return pl.coalesce(
        pl.col("iso").str.to_date("%Y-%m-%d", strict=False),
        pl.when(told.is_not_null()).then(_day_of(told, month, day)).otherwise(near),
        pl.when(this_month < placed).then(next_month).otherwise(this_month),
        relative,
    )


def _day_of(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    text = pl.concat_str(
        year, month.cast(pl.String).str.zfill(2), day.cast(pl.String).str.zfill(2), separator="-"
    )
    return text.str.to_date("%Y-%m-%d", strict=False)


def _by_word(placed: pl.Expr) -> pl.Expr:
    word = pl.col("word").str.to_lowercase()
    ahead = word.str.extract(r"^(tom|to|[今明后大])").replace_strict(
        _DAYS_ON, default=None, return_dtype=pl.Int64
    )
    end = placed.dt.month_end()
    return pl.when(word.str.contains("月底")).then(end).otherwise(placed + pl.duration(days=ahead))


def _by_weekday(placed: pl.Expr) -> pl.Expr:
    """Give the next such weekday, the day itself included; "next" (下周) is that of the week after this one."""
    names = _WEEKDAYS.split("|")
    numbers = {
        **{name: n for n, name in enumerate(names, 1)},
        **{c: n for n, c in enumerate("一二三四五六日", 1)},
        "天": 7,
    }
    weekday = (
        pl.col("weekday").str.to_lowercase().replace_strict(numbers, default=None, return_dtype=pl.Int64)
    )
    ahead = weekday - placed.dt.weekday()
    later = pl.col("week").str.contains("(?i)下|next").fill_null(False)
    days = pl.when(later).then(ahead + 7).otherwise(pl.when(ahead < 0).then(ahead + 7).otherwise(ahead))
    return placed + pl.duration(days=days)
