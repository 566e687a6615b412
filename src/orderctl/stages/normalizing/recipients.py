"""Recipients in one form, and the keyed hash that proves two plain ones equal.

Writing is made equal here (widths, blanks, invisible characters); phones and addresses have their own modules. Nothing
is guessed. `original` stays as the source wrote it, and sealed data is carried, never touched.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.identity import SEPARATOR, keyed_column
from orderctl.model.schema import RECIPIENT, fit
from orderctl.stages.normalizing.addresses import addressed
from orderctl.stages.normalizing.cleaning import clean
from orderctl.stages.normalizing.phones import extensions, one_form_abroad

TEXTS = (
    *("name", "company", "phone", "phone_ext", "email", "country", "province", "province_code", "city"),
    *("district", "town", "street", "postcode", "tax_id"),
)
PROVEN = ("address_id", "index", "asked")
KEYED = r"^h:[0-9a-f]{32}$"


UNCLEAN = r"^$|^\s|\s$|  |[^ -~\x{4E00}-\x{9FFF}]"
"""What `clean` may change: all but printable ASCII and common ideographs with single blanks between them."""
UNCLEAN_LINES = rf"{UNCLEAN}|^\||\|$|\|\||\|\s|\s\|"


def canonical_recipients(orders: pl.DataFrame, key: bytes) -> tuple[pl.Series, pl.DataFrame]:
    """Give the column `recipient` of `orders` in canonical form, with `match_key` and `match_kind`, and findings.

    The findings are those of `addresses` (`row` counts from 0).

    A key the platform proved (`address_id`, `index`, `asked`) is hashed with its shop; a plain recipient gets the
    hash of its canonical form; whoever is masked or sealed otherwise has none.
    """
    found = orders.select("platform", "shop", pl.col("recipient").struct.unnest())
    given = found.select(
        pl.concat_str("province", "city", "district", "town", "street", separator=" ", ignore_nulls=True)
    ).to_series()
    found = _cleaned(found).with_columns(
        country=pl.col("country").str.to_uppercase(),
        privacy=pl.col("privacy").fill_null("plain"),
        match_kind=pl.col("match_kind").fill_null("none"),
    )
    found, findings = addressed(one_form_abroad(extensions(found)).with_row_index("row"), given)
    found = _with_door(found)
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
    recipients = found.select(recipient=fit(whole, RECIPIENT, RECIPIENT).cast(RECIPIENT))["recipient"]
    return recipients, findings


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


_UNITS = r"(?:号楼|号院|号|栋|幢|座|单元|层|楼|室|房|弄|组|队)"
_TENS = ("", "十", "二十", "三十", "四十", "五十")
_NUMERALS = {
    numeral: str(10 * tens + ones)
    for tens, ten in enumerate(_TENS)
    for ones, one in enumerate(("", *"一二三四五六七八九"))
    if (numeral := ten + one)
}
_HAN_NUMBER = rf"([一二三四五六七八九十]{{1,3}}){_UNITS}"


def _with_door(found: pl.DataFrame) -> pl.DataFrame:
    """Add `door`: street and further lines, the first three numbers in words before a unit (三栋二单元) in digits."""
    lines = pl.col("address_lines").list.join(" ")
    found = found.with_columns(door=pl.concat_str("street", lines, separator=" ", ignore_nulls=True))
    door = pl.col("door")
    for _ in range(3):
        word = door.str.extract(_HAN_NUMBER, 1)
        if not found.select(word.is_not_null().any()).item():
            break
        unit = door.str.extract(rf"[一二三四五六七八九十]{{1,3}}({_UNITS})", 1)
        digits = word.replace_strict(_NUMERALS, default=None, return_dtype=pl.String)
        found = found.with_columns(door=pl.coalesce(door.str.replace(_HAN_NUMBER, digits + unit), door))
    return found


def _canonical_text() -> pl.Expr:
    """Give what a plain recipient is compared by; null when it is not plain or too little is known.

    The town is left out: half of all sources do not tell it, and county, street and number say enough.
    """
    region = ("country", "province", "city", "district")
    street = pl.col("door")
    for level in ("province", "city", "district", "town"):
        street = street.str.strip_chars_start(" ").str.strip_prefix(pl.col(level).fill_null(""))
    address = pl.concat_str(*region, street, separator=" ", ignore_nulls=True).str.to_uppercase()
    for _ in range(2):  # twice, as neighbours share a digit: 3-2-401 must not become 32401
        address = address.str.replace_all(r"(\d)[^\p{L}\p{N}|]+(\d)", "${1}|${2}")
    address = address.str.replace_all(r"[^\p{L}\p{N}|]", "")
    address = address.str.replace_all(r"([0-9A-Z])(?:号楼|幢|栋|座)", "${1}栋")
    address = address.str.replace_all(r"([0-9A-Z])楼", "${1}层")
    address = address.str.replace_all(r"([0-9A-Z])(?:号房|房)", "${1}室").str.replace(
        r"([0-9A-Z])室$", "${1}"
    )
    # 3栋2单元401 is 3-2-401
    address = address.str.replace_all(r"([0-9A-Z])栋(\d+)单元(\d)", "${1}|${2}|${3}")
    address = address.str.replace_all(r"([0-9A-Z])栋(\d)", "${1}|${2}")
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
    parts = (pl.lit("canonical/2"), name, dialled.fill_null(""), abroad.fill_null(""), address)
    return pl.when(enough).then(pl.concat_str(parts, separator=SEPARATOR))
