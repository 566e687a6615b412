"""What people paste into an address besides the address: labels, phone numbers, extensions, names, postcodes.

One invariant: only what is known from elsewhere, or goes to its own empty field, is taken out of the text. Another
phone number than the recipient's stays in it.
"""

from __future__ import annotations

import polars as pl

_SEPARATORS = " ,，、;；:：|/·。"
_CALLED = r"(?:(?:联系)?(?:电话|手机号码|手机号|手机|号码|方式)[:：]?\s*|(?i:tel|phone|mob)[:.]?\s*)?"
_MOBILE = r"(?:\+?86[- ]?)?(1[3-9]\d[- ]?\d{4}[- ]?\d{4})(?:\s*(?:转|-|,|#|(?i:ext)\.?)\s*(\d{2,6}))?"
_PHONE = rf"(^|[^\d])[(（\[【]?{_CALLED}{_MOBILE}[)）\]】]?($|[^\d])"
_SUFFIX = r"\s*(?:\[\s*(\d{2,6})\s*\]|[\[【(（]\s*(?:配送编号|转接号?|分机号?|虚拟号|转)[:：]?\s*(\d{3,6})\s*[\]】)）]|转\s*(\d{3,6}))$"
_LABEL = r"(?:^|[,，;；\s])(?:(?:收货|收件|详细|寄送|送货|家庭|邮寄)?地址|所在地区)[:：]\s*"
_NAMED = (
    r"(?:^|[,，;；\s])(?:收[货件]人|姓名|联系人)(?:姓名)?[:：]?\s*([\p{Han}·A-Za-z]{1,20})(?:[,，;；\s]|$)"
)
_POSTCODE = r"(?:^|[,，;；\s(（])(?:邮编|邮政编码)[:：]?\s*(\d{6})[)）]?(?:[,，;；\s]|$)"
_SUSPECT = r"1[3-9]\d[- ]?\d{4}[- ]?\d{4}|\d{2,6}\s*[\]】)）]$|转\s*\d{3,6}$|地址[:：]|所在地区|收[货件]人|姓名|联系人|邮编|邮政编码"


def without_pasted(found: pl.DataFrame, plain: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give recipients without what was pasted into their streets, and findings (`row code one two`) about it.

    Only rows where `plain` is true and the street looks like it are touched.
    """
    name, street = pl.col("name"), pl.col("street")
    holds_name = (name.str.len_chars() > 1) & (street.str.starts_with(name) | street.str.ends_with(name))
    wanted = found.select(
        (plain & (street.str.contains(_SUSPECT) | holds_name.fill_null(False))).fill_null(False)
    ).to_series()
    none = pl.DataFrame(schema={"row": pl.UInt32, "code": pl.String, "one": pl.String, "two": pl.String})
    if not wanted.any():
        return found, none
    before = found.filter(wanted)
    cleared = before
    for take in (_labels, _phones, _phones, _suffixes, _names, _postcodes):
        cleared = take(cleared)
    street = pl.col("street").str.replace_all(r"\s+", " ").str.strip_chars(_SEPARATORS)
    cleared = cleared.with_columns(street=pl.when(street != "").then(street))
    taken = _taken(before, cleared)
    other = cleared.filter(pl.col("street").str.contains(_PHONE)).select(
        "row", code=pl.lit("phone_in_address"), one=pl.lit(None, pl.String), two=pl.lit(None, pl.String)
    )
    every = pl.concat([found.filter(~wanted), cleared.select(found.columns)]).sort("row")
    return every, pl.concat([taken, other]).with_columns(pl.col("row").cast(pl.UInt32))


def _taken(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Tell which kinds of things are no longer in the street."""
    both = before.select("row", was="street").hstack(after.select("street", "name"))
    kinds = {
        "phone": r"1[3-9]\d[- ]?\d{4}[- ]?\d{4}",
        "extension": r"[\[【(（](?:[^\d\[【(（]*)\d{2,6}\s*[\]】)）]$|转\s*\d{3,6}$",
        "label": r"地址[:：]|所在地区[:：]|收[货件]人|姓名|联系人",
        "postcode": r"邮编|邮政编码",
    }
    was, street, name = pl.col("was"), pl.col("street").fill_null(""), pl.col("name")
    told = [
        pl.when(was.str.count_matches(pattern) > street.str.count_matches(pattern)).then(pl.lit(kind))
        for kind, pattern in kinds.items()
    ]
    gone = (
        (name.str.len_chars() > 1)
        & was.str.contains(name, literal=True)
        & ~street.str.contains(name, literal=True)
    )
    told.append(pl.when(gone).then(pl.lit("name")))
    seen = both.select("row", one=pl.concat_str(told, separator=", ", ignore_nulls=True))
    return seen.filter(pl.col("one") != "").select(
        "row", code=pl.lit("contact_in_address"), one="one", two=pl.lit(None, pl.String)
    )


def _labels(found: pl.DataFrame) -> pl.DataFrame:
    return found.with_columns(
        street=pl.col("street").str.replace_all(_LABEL, " ").str.strip_chars(_SEPARATORS)
    )


def _phones(found: pl.DataFrame) -> pl.DataFrame:
    """Take one mobile number out: the recipient's own, or the only one there is."""
    street = pl.col("street")
    number = street.str.extract(_PHONE, 2).str.replace_all("[- ]", "")
    ext = street.str.extract(_PHONE, 3)
    own = pl.col("phone").is_null() | (pl.col("phone") == number)
    own = own & (ext.is_null() | pl.col("phone_ext").is_null() | (ext == pl.col("phone_ext")))
    gone = (number.is_not_null() & own).fill_null(False)
    return found.with_columns(
        phone=pl.when(gone).then(number).otherwise("phone"),
        phone_ext=pl.when(gone).then(pl.coalesce("phone_ext", ext)).otherwise("phone_ext"),
        street=pl.when(gone).then(street.str.replace(_PHONE, "${1} ${4}")).otherwise(street),
    )


def _suffixes(found: pl.DataFrame) -> pl.DataFrame:
    """Take the extension of a virtual number off the end of the street: platforms write it there, too."""
    street = pl.col("street")
    written = pl.coalesce(*(street.str.extract(_SUFFIX, group) for group in (1, 2, 3)))
    own = written.is_not_null() & pl.col("phone").is_not_null()
    bare = pl.col("phone_ext").is_null() & (written.str.len_chars() == 4)
    own = (own & (bare | (pl.col("phone_ext") == written))).fill_null(False)
    return found.with_columns(
        phone_ext=pl.when(own).then(written).otherwise("phone_ext"),
        street=pl.when(own).then(street.str.replace(_SUFFIX, "")).otherwise(street),
    )


def _names(found: pl.DataFrame) -> pl.DataFrame:
    """Take the recipient's name out where it stands apart; a name that has no field yet goes there."""
    street, name = pl.col("street"), pl.col("name")
    labelled = street.str.extract(_NAMED, 1)
    gone = (labelled.is_not_null() & (name.is_null() | (name == labelled))).fill_null(False)
    found = found.with_columns(
        name=pl.when(gone).then(labelled).otherwise(name),
        street=pl.when(gone).then(street.str.replace(_NAMED, " ")).otherwise(street),
    ).with_columns(pl.col("street").str.strip_chars(_SEPARATORS))
    before, after = street.str.strip_suffix(name), street.str.strip_prefix(name)
    apart = r"[,，、;；:：\s)）\]】]$"
    at_end = street.str.ends_with(name) & before.str.contains(apart)
    at_head = street.str.starts_with(name) & after.str.contains(r"^[,，、;；:：\s]")
    long = name.str.len_chars() > 1
    return found.with_columns(
        street=pl.when((long & at_end).fill_null(False))
        .then(before)
        .when((long & at_head).fill_null(False))
        .then(after)
        .otherwise(street)
    )


def _postcodes(found: pl.DataFrame) -> pl.DataFrame:
    street = pl.col("street")
    written = street.str.extract(_POSTCODE, 1)
    own = (
        written.is_not_null() & (pl.col("postcode").is_null() | (pl.col("postcode") == written))
    ).fill_null(False)
    return found.with_columns(
        postcode=pl.when(own).then(written).otherwise("postcode"),
        street=pl.when(own).then(street.str.replace(_POSTCODE, " ")).otherwise(street),
    )
