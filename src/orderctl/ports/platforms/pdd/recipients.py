"""Pinduoduo's recipients: ciphertexts that are carried and never opened, their masks, and what proves two equal.

A ciphertext may hold a search index, which is the same for the same plain text of one shop. Both forms occur:

    with index      `$index$cipher$2$$` (phones)   `#index#cipher#2##` (identity cards)   `~cipher~index~2~~` (all else)
    without index   `$...$cipher$2$`               `#...#cipher#2#`                       `~cipher~2~`

While an order waits to be shipped and is not under review its fields are ciphertexts, afterwards they are empty.

Source: test data of a public SDK, as collected in the project's fact sheet (November 2026).
"""

from __future__ import annotations

import polars as pl

from orderctl.model.mapper import given, payload, recipient
from orderctl.model.regions import placed

PHONE = r"^\$([^$]{4,})\$([^$]{8,})\$\d+\$\$$"
IDENTITY = r"^#([^#]{4,})#([^#]{8,})#\d+##$"
OTHER = r"^~([^~]{8,})~([^~]{2,})~\d+~~$"
CIPHER = (
    r"^(?:~[^~]{8,}~(?:[^~]{2,}~\d+~~|\d+~)"
    r"|\$(?:[^$]*\$)?[^$]{8,}\$\d+\$\$?"
    r"|#(?:[^#]*#)?[^#]{8,}#\d+##?)$"
)
SCHEME = "pdd/cipher"
_STREET_LEVEL = r"^(\p{Han}{1,10}?(?:街道|镇|乡|苏木))([^路街道巷弄里].*)?$"
"""A street office or town at the beginning of an address; 古镇路 is a road."""


def is_cipher(text: pl.Expr) -> pl.Expr:
    """True where a text is a ciphertext of either form."""
    return text.str.contains(CIPHER).fill_null(False)


def readable(text: pl.Expr) -> pl.Expr:
    """Give a text that is no ciphertext; null where it is empty."""
    return given(pl.when(~is_cipher(text)).then(text))


def index_of(text: pl.Expr) -> pl.Expr:
    """Give the search index inside a ciphertext; null where it has none."""
    return pl.coalesce(text.str.extract(PHONE, 1), text.str.extract(IDENTITY, 1), text.str.extract(OTHER, 2))


def privacy(*shown: pl.Expr) -> pl.Expr:
    """Tell how much of a recipient can be read: `sealed` (ciphertexts), `masked` (asterisks) or `plain`."""
    masked = pl.any_horizontal([text.str.contains(r"\*") for text in shown])
    return (
        pl.when(pl.any_horizontal([is_cipher(text) for text in shown]))
        .then(pl.lit("sealed"))
        .when(masked.fill_null(False))
        .then(pl.lit("masked"))
        .otherwise(pl.lit("plain"))
    )


def sealed(**ciphers: pl.Expr) -> pl.Expr:
    """Build the sealed data of a recipient whose parts came as ciphertexts: `blob` is their JSON text by name."""
    shut = pl.struct(pl.when(is_cipher(text)).then(text).alias(name) for name, text in ciphers.items())
    return pl.struct(scheme=pl.lit(SCHEME), ref=pl.lit(None, dtype=pl.String), blob=shut.struct.json_encode())


def street_level(address: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Divide an address without region into (town or street office, rest); the platform has no field for the first."""
    town = address.str.extract(_STREET_LEVEL, 1)
    rest = pl.when(town.is_not_null()).then(address.str.extract(_STREET_LEVEL, 2)).otherwise(address)
    return town, given(rest)


def map_recipients(frame: pl.DataFrame) -> pl.Series:
    """Give the column `recipient` of orders as the API tells them; `frame` has the column `payload`."""
    name, address = payload("receiver_name"), payload("receiver_address")
    # a buyer who hides the details is reached under another number, and nothing else is told
    phone = pl.coalesce(given(payload("receiver_phone")), given(payload("contact_mobile")))
    shown = {
        part: pl.coalesce(readable(text), given(payload(mask)))
        for part, text, mask in (
            ("name", name, "receiver_name_mask"),
            ("phone", phone, "receiver_phone_mask"),
            ("address", address, "receiver_address_mask"),
        )
    }
    town, street = street_level(shown["address"])
    where = frame.select(
        province=payload("province"), city=payload("city"), district=payload("town"), town=town
    )
    hidden = privacy(name, phone, address, shown["name"], shown["phone"], shown["address"])
    key, kind = _match(name, phone, address)
    ours = recipient(
        name=shown["name"],
        phone=shown["phone"],
        country=pl.lit("CN"),
        **{part: pl.col(part) for part in ("province", "province_code", "city", "district", "town")},
        street=street,
        privacy=hidden,
        sealed=pl.when(hidden == "sealed").then(sealed(name=name, phone=phone, address=address)),
        match_key=key,
        match_kind=kind,
    )
    return frame.select("payload").hstack(placed(where)).select(recipient=ours)["recipient"]


def _match(name: pl.Expr, phone: pl.Expr, address: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Give what proves two recipients of one shop equal, and its kind: the platform's own id, else the indexes.

    All three indexes must be there: without one of them two people at one address could be taken for one.
    """
    merge_id = pl.coalesce(given(payload("open_address_id")), given(payload("open_address_id_2")))
    region = [payload(level).fill_null("") for level in ("province", "city", "town")]
    indexes = pl.concat_str(index_of(phone), index_of(address), index_of(name), *region, separator="|")
    kind = (
        pl.when(merge_id.is_not_null())
        .then(pl.lit("address_id"))
        .when(indexes.is_not_null())
        .then(pl.lit("index"))
        .otherwise(pl.lit("none"))
    )
    return pl.coalesce(merge_id, indexes), kind
