"""Recipients in one form, and the keyed hash that proves two plain ones equal.

Only writing is made equal here (widths, blanks, invisible characters, phone extensions, names of regions); nothing
is guessed. `original` stays as the source wrote it, and sealed data is carried, never touched.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.identity import SEPARATOR, keyed_column
from orderctl.model.regions import placed
from orderctl.model.schema import RECIPIENT, fit

TEXTS = (
    *("name", "company", "phone", "phone_ext", "email", "country", "province", "province_code", "city"),
    *("district", "town", "street", "postcode", "tax_id"),
)
PROVEN = ("address_id", "index", "asked")
KEYED = r"^h:[0-9a-f]{32}$"
_NUMBER = r"(1[3-9]\d{9}|[48]00-?\d{3}-?\d{4}|0\d{2,3}-?\d{7,8})"
_EXTENDED = rf"(?i)^{_NUMBER}(?:\s*(?:转|ext\.?|x)\s*|[-,;#/\s]+|\s*\[)(\d{{1,6}})\]?$"
_BRACKET = r"\s*\[(\d{2,6})\]$"


UNCLEAN = r"^$|^\s|\s$|  |[^ -~\x{4E00}-\x{9FFF}]"
"""What `clean` may change: all but printable ASCII and common ideographs with single blanks between them."""
UNCLEAN_LINES = rf"{UNCLEAN}|^\||\|$|\|\||\|\s|\s\|"


def clean(text: pl.Expr) -> pl.Expr:
    """Give `text` in one width (NFKC), without invisible characters, blanks collapsed; null when nothing is left."""
    seen = text.str.normalize("NFKC").str.replace_all(r"\p{Cf}", "").str.replace_all(r"[\s\p{Cc}]+", " ")
    seen = seen.str.strip_chars()
    return pl.when(seen != "").then(seen)


def canonical_recipients(orders: pl.DataFrame, key: bytes) -> pl.Series:
    """Give the column `recipient` of `orders` in canonical form, with `match_key` and `match_kind`.

    A key the platform proved (`address_id`, `index`, `asked`) is hashed with its shop; a plain recipient gets the
    hash of its canonical form; whoever is masked or sealed otherwise has none.
    """
    found = orders.select("platform", "shop", pl.col("recipient").struct.unnest())
    found = _cleaned(found).with_columns(
        country=pl.col("country").str.to_uppercase(),
        privacy=pl.col("privacy").fill_null("plain"),
        match_kind=pl.col("match_kind").fill_null("none"),
    )
    found = _extensions(_regions(found))
    proof = pl.when(pl.col("match_kind").is_in(PROVEN)).then(pl.col("match_key"))
    hashed = proof.str.contains(KEYED)
    named = pl.concat_str("match_kind", "platform", "shop", proof, separator=SEPARATOR)
    proven = (
        pl.when(hashed).then(proof).otherwise(pl.lit("h:") + keyed_column(pl.when(~hashed).then(named), key))
    )
    canonical = pl.lit("h:") + keyed_column(pl.when(proof.is_null()).then(_canonical_text()), key)
    found = found.with_columns(match_key=pl.coalesce(proven, canonical)).with_columns(
        match_kind=pl.when(pl.col("match_key").is_null())
        .then(pl.lit("none"))
        .when(proof.is_not_null())
        .then(pl.col("match_kind"))
        .otherwise(pl.lit("canonical"))
    )
    whole = pl.struct(pl.col(field.name) for field in RECIPIENT.fields)
    return found.select(recipient=fit(whole, RECIPIENT, RECIPIENT).cast(RECIPIENT))["recipient"]


def _cleaned(found: pl.DataFrame) -> pl.DataFrame:
    """Clean all texts. Most are clean, and to see that costs a tenth of cleaning them, so only the others' rows are."""
    lines = pl.col("address_lines").list.join("|")
    unclean = [pl.col(name).str.contains(UNCLEAN) for name in TEXTS]
    some_lines = pl.col("address_lines").list.len() > 0
    wanted = found.select(
        pl.any_horizontal(*unclean, some_lines & lines.str.contains(UNCLEAN_LINES))
        .fill_null(False)
        .alias("unclean")
    )["unclean"]
    if not wanted.any():
        return found
    numbered = found.with_row_index("_at")
    cleaned = numbered.filter(wanted).with_columns(
        *(clean(pl.col(name)) for name in TEXTS),
        address_lines=pl.col("address_lines").list.eval(clean(pl.element()), parallel=True).list.drop_nulls(),
    )
    return pl.concat([numbered.filter(~wanted), cleaned]).sort("_at").drop("_at")


def _regions(found: pl.DataFrame) -> pl.DataFrame:
    """Give Chinese regions their full names and their own levels; those of other countries stay."""
    places = placed(found)
    chinese = (found["country"].fill_null("CN") == "CN").alias("chinese")
    both = found.with_columns(chinese, *(places[name].alias(f"placed_{name}") for name in places.columns))
    at_home = {name: pl.col(f"placed_{name}") for name in places.columns}
    at_home["province_code"] = pl.coalesce("placed_province_code", "province_code")
    return both.with_columns(
        pl.when("chinese").then(place).otherwise(pl.col(name)).alias(name) for name, place in at_home.items()
    ).select(found.columns)


def _extensions(found: pl.DataFrame) -> pl.DataFrame:
    """Part the extension of a Chinese number from it, wherever it was written: at the phone, name or street."""
    chinese = (pl.col("privacy") == "plain") & pl.col("country").fill_null("CN").is_in(
        ["CN", "HK", "MO", "TW"]
    )
    phone = pl.col("phone").str.replace(r"^(?:\+|00)?\s*86[-\s]*(1[3-9]\d{9})", "${1}")
    spaced = phone.str.replace_all(r"[\s-]", "")
    phone = (
        pl.when(spaced.str.contains(r"^(?:86|\+86)?1[3-9]\d{9}$"))
        .then(spaced.str.slice(-11))
        .otherwise(phone)
    )
    found = found.with_columns(phone=pl.when(chinese).then(phone).otherwise(pl.col("phone")))
    written = pl.when(chinese).then(pl.col("phone").str.extract(_EXTENDED, 2))
    found = found.with_columns(
        phone=pl.when(written.is_not_null())
        .then(pl.col("phone").str.extract(_EXTENDED, 1))
        .otherwise("phone"),
        phone_ext=pl.coalesce(written, "phone_ext"),
    )
    in_name = pl.when(chinese).then(pl.col("name").str.extract(_BRACKET, 1))
    found = found.with_columns(phone_ext=pl.coalesce("phone_ext", in_name))
    return found.with_columns(
        pl.when(chinese & (pl.col(name).str.extract(_BRACKET, 1) == pl.col("phone_ext")))
        .then(clean(pl.col(name).str.replace(_BRACKET, "")))
        .otherwise(pl.col(name))
        .alias(name)
        for name in ("name", "street")
    )


def _canonical_text() -> pl.Expr:
    """Give what a plain recipient is compared by; null when it is not plain or too little is known."""
    region = ("country", "province", "city", "district", "town")
    street = pl.concat_str("street", pl.col("address_lines").list.join(" "), separator=" ", ignore_nulls=True)
    for level in ("province", "city", "district"):
        street = street.str.strip_chars_start(" ").str.strip_prefix(pl.col(level).fill_null(""))
    address = pl.concat_str(*region, street, separator=" ", ignore_nulls=True).str.to_uppercase()
    for _ in range(2):  # twice, as neighbours share a digit: 3-2-401 must not become 32401
        address = address.str.replace_all(r"(\d)[^\p{L}\p{N}|]+(\d)", "${1}|${2}")
    address = address.str.replace_all(r"[^\p{L}\p{N}|]", "")
    address = address.str.replace_all(r"([0-9A-Z])(?:号楼|幢|栋|座)", "${1}栋")
    address = address.str.replace_all(r"([0-9A-Z])(?:号房|房)", "${1}室").str.replace(
        r"([0-9A-Z])室$", "${1}"
    )
    name = pl.col("name").str.to_uppercase().str.replace_all(r"[^\p{L}\p{N}]", "")
    dialled = pl.concat_str(
        pl.col("phone").str.replace_all(r"\D", ""), "phone_ext", separator="-", ignore_nulls=True
    )
    enough = (
        (pl.col("privacy") == "plain")
        & (name != "")
        & (pl.col("street").is_not_null() | (pl.col("address_lines").list.len() > 0))
    )
    abroad = pl.when(pl.col("country") != "CN").then(
        pl.col("postcode").str.replace_all(r"\W", "").str.to_uppercase()
    )
    parts = (pl.lit("canonical/1"), name, dialled.fill_null(""), abroad.fill_null(""), address)
    return pl.when(enough).then(pl.concat_str(parts, separator=SEPARATOR))
