"""From a platform's words to ours: what a mapper is, and the pieces every mapper is built of.

A mapper is a table of polars expressions over text leaves. Its one invariant: nothing is invented. A term the
source lacks is null, a text that cannot be read becomes a problem on its row, and a value the mapper does not
know gets the careful meaning (the order is held, the line counts as under refund) and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from orderctl.model.instant import FORMAT, LOCAL_FORMATS, from_local, from_offset
from orderctl.model.money import exponents, minor
from orderctl.model.problem import KINDS, listed
from orderctl.model.records import Hold, Wish
from orderctl.model.schema import LINE, PARAMS, PROBLEM, RECIPIENT, conform, fields

STAGE = "read"
"""The stage that owns the problems mappers find."""

HOLD = pl.Struct(fields(Hold))
LINES = pl.List(LINE)
WISH = pl.Struct(fields(Wish))
ENVELOPE = ("platform", "shop", "platform_ref", "format", "observed_at", "updated_at", "source")
MONEY_FIELDS = (
    *("goods_minor", "postage_minor", "tax_included_minor", "tax_added_minor", "adjust_minor"),
    *("discount_seller_minor", "discount_platform_minor", "total_minor", "received_minor", "due_minor"),
    "refunded_minor",
)

Entry = tuple[pl.Expr, pl.Expr]
"""(where, what): one element of a list column, on the rows where the condition is true."""


@dataclass(frozen=True)
class Mapper:
    """How raw records of one format become orders.

    `dtype` declares every leaf of the payload as text. `to_orders` takes the columns ENVELOPE, `payload` (of `dtype`),
    `parts` and `facts` (JSON text or null) and gives one row of `order/1` per row, in the same order.
    `money_fields` are the amounts of an order this format tells; the others are always null.
    """

    format: str
    dtype: pl.Struct
    to_orders: Callable[[pl.DataFrame], pl.DataFrame]
    money_fields: tuple[str, ...]


def texts(names: str) -> dict[str, pl.DataType]:
    """Give the named fields (separated by blanks) as text leaves."""
    return {name: pl.String() for name in names.split()}


def payload(name: str) -> pl.Expr:
    """Give a top-level field of the payload."""
    return pl.col("payload").struct.field(name)


def given(text: pl.Expr) -> pl.Expr:
    """Give a text without blanks around it; null where nothing is left."""
    clean = text.str.strip_chars()
    return pl.when(clean != "").then(clean)


def note(text: pl.Expr) -> pl.Expr:
    """Give what a person typed byte for byte; null where it is empty."""
    return pl.when(text != "").then(text)


def yes(text: pl.Expr) -> pl.Expr:
    """True where a platform's flag is set, however it writes that; false where it is missing."""
    return text.str.strip_chars().str.to_lowercase().is_in(["true", "1", "yes", "y", "是"]).fill_null(False)


def translate(text: pl.Expr, words: Mapping[str, str]) -> pl.Expr:
    """Give our word for a platform's; null where it is missing or not in the list."""
    return text.replace_strict(words, default=None, return_dtype=pl.String)


def is_set(text: pl.Expr) -> pl.Expr:
    """True where a text names a time: it is neither empty nor a zero date nor a bare 0."""
    clean = text.str.strip_chars()
    return (~(clean.str.starts_with("0000") | clean.is_in(["", "0", "-", "--"]))).fill_null(False)


def finding(code: str, column: str, value: pl.Expr | None = None) -> pl.Expr:
    """Build a problem of this stage about one field, with the unknown value where the sentence shows it."""
    kind = KINDS[code]
    shown = [pl.struct(name=pl.lit("field"), value=pl.lit(column))]
    message = kind.sentence.replace("{field}", column)
    text = pl.lit(message)
    if value is not None:
        shown.append(pl.struct(name=pl.lit("value"), value=value))
        before, after = message.split("{value}")
        text = pl.concat_str(pl.lit(before), value.fill_null("?"), pl.lit(after))
    return pl.struct(
        code=pl.lit(code),
        params=listed(shown).cast(PARAMS),
        field=pl.lit(column),
        severity=pl.lit(kind.severity),
        forceable=pl.lit(kind.forceable),
        stage=pl.lit(STAGE),
        message=text,
    ).cast(PROBLEM)


_PLAIN = r"^-?[0-9]{1,13}(?:\.[0-9]{1,2})?$"
_OTHER_DIGITS = r"[\p{Nd}--[0-9]]"


def with_amounts(
    frame: pl.DataFrame, amounts: Mapping[str, pl.Expr], currency: pl.Expr | None = None
) -> pl.DataFrame:
    """Add amounts in minor units (new column to text) of yuan, or of the currency each row is in.

    Nearly all are written plainly, so each column is read the quick way first, and again only where that left texts.
    """
    if currency is not None and frame.select((exponents(currency) != 2).any()).item():
        return frame.with_columns(exact(text, currency).alias(name) for name, text in amounts.items())
    quick = {
        name: (
            pl.when(text.str.contains(_PLAIN)).then(text).cast(pl.Decimal(17, 2), strict=False) * 100
        ).cast(pl.Int64)
        for name, text in amounts.items()
    }
    read = frame.with_columns(**quick)
    again = _left(read, amounts)
    return read.with_columns(exact(amounts[name], "CNY").alias(name) for name in again) if again else read


def exact(text: pl.Expr, currency: pl.Expr | str) -> pl.Expr:
    """Read amounts however they are written, full-width too; digits of other scripts are none of ours."""
    narrow = text.str.normalize("NFKC")
    return minor(pl.when(~narrow.str.contains(_OTHER_DIGITS)).then(narrow), currency)


def with_times(frame: pl.DataFrame, times: Mapping[str, pl.Expr], zone: str) -> pl.DataFrame:
    """Add instants (new column to text) read as wall clock of `zone`; the usual form first, others where it left texts."""
    read = frame.with_columns(
        from_local(text, zone, LOCAL_FORMATS[:1]).alias(name) for name, text in times.items()
    )
    again = _left(read, times)
    return read.with_columns(from_local(times[name], zone).alias(name) for name in again) if again else read


def with_instants(frame: pl.DataFrame, times: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Add instants (new column to text) of texts that carry their own offset; `2026-11-20T15:04:09Z` the quick way."""
    read = frame.with_columns(
        pl.when(text.str.to_datetime(FORMAT, strict=False, time_unit="ms").is_not_null())
        .then(text)
        .alias(name)
        for name, text in times.items()
    )
    again = _left(read, times)
    return read.with_columns(from_offset(times[name]).alias(name) for name in again) if again else read


def _left(frame: pl.DataFrame, sources: Mapping[str, pl.Expr]) -> list[str]:
    """Name the columns that are null somewhere although their source has a text."""
    some = frame.select(
        (text.str.len_bytes() > 0).and_(pl.col(name).is_null()).any().alias(name)
        for name, text in sources.items()
    )
    return [name for name in sources if some[name].item()]


def unread(code: str, sources: Mapping[str, tuple[pl.Expr, str]]) -> list[Entry]:
    """Give a finding for every text that is there although nothing could be read of it.

    `sources` tells for each of our fields the text and the column that was read of it.
    """
    there = is_set if code == "time_unreadable" else (lambda text: given(text).is_not_null())
    return [
        (there(text) & pl.col(read).is_null(), finding(code, ours)) for ours, (text, read) in sources.items()
    ]


def hold(code: str, why: pl.Expr | str | None = None, until: pl.Expr | None = None) -> pl.Expr:
    """Build a hold of the platform; `why` is its own word for it."""
    said = why if isinstance(why, pl.Expr) else pl.lit(why, dtype=pl.String)
    ends = pl.lit(None, dtype=pl.String) if until is None else until
    return pl.struct(code=pl.lit(code), source=pl.lit("platform"), until=ends, why=said).cast(HOLD)


def wish(kind: str, value: pl.Expr, evidence: pl.Expr) -> pl.Expr:
    """Build a wish that an option of the platform expresses."""
    return pl.struct(
        kind=pl.lit(kind), value=value, avoid=pl.lit(False), source=pl.lit("option"), evidence=evidence
    ).cast(WISH)


def with_list(frame: pl.DataFrame, column: str, entries: Iterable[Entry], inner: pl.DataType) -> pl.DataFrame:
    """Add a list column of the entries whose condition is true on a row.

    Such entries are rare, so they are built only for the rows that have one.
    """
    found = [(where.fill_null(False), what) for where, what in entries]
    nothing = pl.lit([], dtype=pl.List(inner)).alias(column)
    if not found or not frame.height:
        return frame.with_columns(nothing)
    hit = frame.select(pl.any_horizontal([where for where, _ in found])).to_series()
    if not hit.any():
        return frame.with_columns(nothing)
    each = listed([pl.when(where).then(what) for where, what in found]).list.drop_nulls()
    rows = frame.filter(hit).select(each.alias(column))
    place = (hit.cum_sum().cast(pl.Int64) - 1).clip(lower_bound=0)
    filled = rows[column].gather(place)
    return frame.with_columns(pl.when(hit).then(filled).otherwise(nothing).alias(column))


def first_balanced(
    total: pl.Expr, readings: Sequence[Mapping[str, pl.Expr]], signs: Mapping[str, int]
) -> dict[str, pl.Expr]:
    """Choose between readings of overlapping fields: the first whose terms add up to `total`, else the first.

    Args:
        total: what the platform says in the end.
        readings: each gives every term of `signs`, in minor units.
        signs: how a term counts towards the total.
    """
    sums = [sum((r[name] * sign for name, sign in signs.items()), pl.lit(0)) == total for r in readings]
    chosen: dict[str, pl.Expr] = {}
    for name in signs:
        value = readings[0][name]
        for fits, reading in reversed(list(zip(sums, readings, strict=True))):
            value = pl.when(fits).then(reading[name]).otherwise(value)
        chosen[name] = value
    return chosen


CIPHER = r"^(?:~.{16,}~\d~~|\$.{16,}\$\d\$\$|#.+#.{8,}#\d##)$"
"""The forms in which Pinduoduo and Douyin write names, phones and addresses they do not show."""


def privacy(*shown: pl.Expr) -> pl.Expr:
    """Tell how much of a recipient can be read: `sealed` (ciphertexts), `masked` (asterisks) or `plain`."""
    sealed = pl.any_horizontal([s.str.contains(CIPHER) for s in shown])
    masked = pl.any_horizontal([s.str.contains(r"\*") for s in shown])
    return (
        pl.when(sealed.fill_null(False)).then(pl.lit("sealed"))
        .when(masked.fill_null(False)).then(pl.lit("masked"))
        .otherwise(pl.lit("plain"))
    )  # fmt: skip


def readable(text: pl.Expr) -> pl.Expr:
    """Give a text that is no ciphertext."""
    return pl.when(~text.str.contains(CIPHER)).then(text)


def sealed(scheme: str, **ciphers: pl.Expr) -> pl.Expr:
    """Build the sealed data of a recipient whose parts came as ciphertexts: `blob` is their JSON text by name."""
    shut = pl.struct(
        pl.when(text.str.contains(CIPHER)).then(text).alias(name) for name, text in ciphers.items()
    )
    return pl.struct(scheme=pl.lit(scheme), ref=pl.lit(None, dtype=pl.String), blob=shut.struct.json_encode())


def _complete(dtype: pl.Struct, values: Mapping[str, pl.Expr]) -> pl.Expr:
    unknown = set(values) - {f.name for f in dtype.fields}
    assert not unknown, unknown
    parts = []
    for f in dtype.fields:
        kind = f.dtype
        nothing = pl.lit([], dtype=kind) if isinstance(kind, pl.List) else pl.lit(None, dtype=kind)
        parts.append(values.get(f.name, nothing).cast(kind).alias(f.name))
    return pl.struct(parts)


def recipient(**values: pl.Expr) -> pl.Expr:
    """Build a recipient; what is not given is null, lists are empty."""
    values.setdefault("privacy", pl.lit("plain"))
    values.setdefault("match_kind", pl.lit("none"))
    return _complete(RECIPIENT, values)


def line(**values: pl.Expr) -> pl.Expr:
    """Build a line of goods; what is not given is null, lists are empty."""
    values.setdefault("kind", pl.lit("goods"))
    values.setdefault("refund", pl.lit("none"))
    return _complete(LINE, values)


def to_ship(quantity: pl.Expr, refunded: pl.Expr, shipped: pl.Expr, goes: pl.Expr) -> pl.Expr:
    """Give what is left to ship of a line where it `goes` at all."""
    left = (quantity - refunded - shipped).clip(lower_bound=0)
    return pl.when(goes.fill_null(False)).then(left).otherwise(pl.lit(0, dtype=pl.Int64))


def count(text: pl.Expr) -> pl.Expr:
    """Read a whole number of pieces (`2`, `2.0`, `1,000`, `２`); null where it is none or negative."""
    clean = text.str.normalize("NFKC").str.replace_all(r"[\s,件]", "")
    return clean.str.extract(r"^([0-9]{1,9})(?:\.0+)?$", 1).cast(pl.Int64)


def finish(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the order columns of `frame`, the id made of platform, shop and reference."""
    ref = pl.concat_str("platform", "shop", "platform_ref", separator=":")
    return conform(frame.with_columns(ref.alias("order_id")), "order/1")
