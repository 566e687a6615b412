"""The recipients of JD's orders, in our words: masked with an OAID, as ciphertexts, or plain."""

from __future__ import annotations

import polars as pl

from orderctl.model.mapper import given, privacy, recipient
from orderctl.ports.platforms.jd.places import full_places, street

TDE = r"^[A-Za-z0-9+/_=~-]{24,}$"
"""The form of JD's ciphertexts: a long run of base 64, as no name, phone or Chinese address is."""
_VIRTUAL = r"^(1\d{10})-(\d{1,6})$"
ABROAD = "海外"


def with_recipients(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `recipient`.

    `frame` has `name mobile telephone province city district town whole` (the address as one text) `oaid facts`.
    """
    levels = ("province", "city", "district", "town")
    places = full_places(frame.select(given(pl.col(level)).alias(level) for level in levels))
    shut = {
        name: given(pl.col(text))
        for name, text in (
            ("name", "name"),
            ("phone", "mobile"),
            ("telephone", "telephone"),
            ("address", "whole"),
        )
    }
    ciphers = [pl.when(text.str.contains(TDE)).then(text).alias(name) for name, text in shut.items()]
    base = frame.select(
        "facts",
        oaid=given(pl.col("oaid")),
        blob=pl.struct(ciphers),
        abroad=(given(pl.col("province")) == ABROAD).fill_null(False),
        street=street(given(pl.col("whole")), [pl.col(level) for level in levels]),
        **{name: pl.when(~text.str.contains(TDE)).then(text).alias(name) for name, text in shut.items()},
    ).hstack(places)
    is_shut = pl.any_horizontal(pl.col("blob").struct.field(name).is_not_null() for name in shut)
    is_sealed = pl.col("oaid").is_not_null() | is_shut
    readable_street = pl.when(~pl.col("street").str.contains(TDE)).then("street")
    sealed = pl.struct(
        scheme=pl.when(pl.col("oaid").is_not_null()).then(pl.lit("jd/oaid")).otherwise(pl.lit("jd/tde")),
        ref=pl.col("oaid"),
        blob=pl.when(is_shut).then(pl.col("blob").struct.json_encode()),
    )
    group = given(pl.col("facts").str.json_path_match("$.same_recipient"))
    ours = recipient(
        name=pl.col("name"),
        phone=pl.coalesce(pl.col("phone").str.extract(_VIRTUAL, 1), "phone", "telephone"),
        phone_ext=pl.col("phone").str.extract(_VIRTUAL, 2),
        country=pl.when(~pl.col("abroad")).then(pl.lit("CN")),
        **{part: pl.col(part) for part in ("province", "province_code", "city", "district", "town")},
        street=readable_street,
        original=pl.col("address"),
        privacy=pl.when(is_sealed)
        .then(pl.lit("sealed"))
        .otherwise(privacy(pl.col("name"), pl.col("phone"), pl.col("street"))),
        sealed=pl.when(is_sealed).then(sealed),
        match_key=group,
        match_kind=pl.when(group.is_not_null()).then(pl.lit("asked")).otherwise(pl.lit("none")),
    )
    return frame.with_columns(base.select(recipient=ours)["recipient"])
