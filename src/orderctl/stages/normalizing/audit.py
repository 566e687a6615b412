"""What keeps an order from being shipped: every check in one pass, so that nothing hides behind the first finding.

An order of which nothing is left to ship only says so: what is wrong with it no longer stops anybody.
"""

from __future__ import annotations

import polars as pl

from orderctl.stages.normalizing.audit_finding import STAGE, Finding, amount, found
from orderctl.stages.normalizing.audit_soft import soft_findings
from orderctl.stages.rules.sections.audit import AUDITED, AuditSection

OPEN = ("wait_pay", "wait_ship", "partly_shipped")
TERMS = {
    "goods_minor": 1,
    "postage_minor": 1,
    "tax_added_minor": 1,
    "adjust_minor": 1,
    "discount_seller_minor": -1,
    "discount_platform_minor": -1,
}
MONEY = (*TERMS, "tax_included_minor", "total_minor", "received_minor", "due_minor", "refunded_minor")
# Platforms end these by themselves; any other hold of a platform waits for the seller.
PASSING_HOLDS = (
    *("fulfilled_by_platform", "group_buy", "no_parcel", "presale", "presale_failed", "risk_review"),
    *("scheduled", "test"),
)
PROVINCE_NEEDED = ("AU", "BR", "CA", "CN", "IN", "JP", "MX", "US")
CITY_NOT_NEEDED = ("HK", "JP", "MO", "SG")
POSTCODE_NEEDED = (
    *("AT", "AU", "BE", "BR", "CA", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "HU"),
    *("IN", "IT", "JP", "KR", "MX", "MY", "NL", "NO", "PL", "PT", "SE", "SG", "TH", "TW", "US"),
)


def audited(orders: pl.DataFrame, section: AuditSection, now: str) -> pl.Series:
    """Give the column `problems` of `orders`, the findings of this stage replaced by fresh ones.

    Args:
        orders: `order/1` with the helper columns `row` (the number of the row), `live` (something is left to
            ship), `unmapped`, `recut`, `renumbered` and `refunding` (texts that name lines, null where there are none), those of
            `line_figures` and those of `known_of_orders`.
        section: limits and severities.
        now: the instant that ends holds and promises.
    """
    lasting, passing = _holds(now)
    terms = pl.sum_horizontal([pl.col(name) * sign for name, sign in TERMS.items()])
    unknown = _joined(
        [pl.when(pl.col(name).is_null()).then(pl.lit(name)) for name in (*TERMS, "total_minor")]
    )
    judged = orders.with_columns(
        lacking=_missing_of_recipient(section),
        unknown=unknown,
        computed=terms,
        lasting=lasting,
        passing=passing,
    )
    fresh = found(judged, section, [*_findings(), *soft_findings(section, now)])
    about = pl.col("problem").struct
    old = (
        orders.filter(pl.col("problems").list.len() > 0).select("row", problem="problems").explode("problem")
    )
    kept = old.filter((about.field("stage") != STAGE) | ~about.field("code").is_in(AUDITED))
    per_row = pl.concat([kept, *fresh]).group_by("row", maintain_order=True).agg(problems="problem")
    judged = orders.select("row").join(per_row, on="row", how="left", maintain_order="left")
    return judged.select(pl.col("problems").fill_null([]))["problems"]


def _findings() -> list[Finding]:
    live, has_lines = pl.col("live"), pl.col("lines").list.len() > 0
    total, unknown, named = pl.col("total_minor"), pl.col("unknown"), pl.col("unmapped").is_not_null()
    unpaid = (pl.col("status") == "wait_pay") & ~pl.col("payment").is_in(["cod", "credit"]).fill_null(False)
    refunding = pl.col("refund_open").fill_null(False) | pl.col("refunding").is_not_null()
    refunded_lines = pl.coalesce("refunding", "platform_ref")
    mismatch = (unknown == "") & (pl.col("computed") != total)
    amounts = {"computed": amount(pl.col("computed")), "total": amount(total)}
    no_currency = pl.col("currency").is_null() & pl.any_horizontal(pl.col(MONEY).is_not_null())
    conflict = pl.col("conflict")
    lacking, lasting, passing = pl.col("lacking"), pl.col("lasting"), pl.col("passing")
    recut, renumbered = pl.col("recut"), pl.col("renumbered")
    return [
        Finding("recipient_incomplete", live & (lacking != ""), "recipient", {"missing": lacking}),
        Finding("no_lines", pl.col("status").is_in(OPEN) & ~has_lines, "lines"),
        Finding("sku_unmapped", live & named, "lines", {"items": pl.col("unmapped")}),
        Finding("sku_map_changed", live & recut.is_not_null(), "lines", {"lines": recut}),
        Finding("lines_renumbered", live & renumbered.is_not_null(), "lines", {"lines": renumbered}),
        Finding("refund_open", live & refunding, "refund_open", {"lines": refunded_lines}),
        Finding("not_paid", live & unpaid, "status"),
        Finding("held", live & (passing != ""), "holds", {"holds": passing}),
        Finding("held_by_platform", live & (lasting != ""), "holds", {"holds": lasting}),
        Finding("total_mismatch", live & mismatch, "total_minor", amounts),
        Finding("total_unverifiable", live & (unknown != ""), "total_minor", {"missing": unknown}),
        Finding("currency_missing", live & no_currency, "currency"),
        Finding("wishes_conflict", live & conflict.is_not_null(), "wishes", {"wishes": conflict}),
        Finding("nothing_to_ship", ~live & has_lines, "lines"),
    ]


def _joined(texts: list[pl.Expr]) -> pl.Expr:
    return pl.concat_str(texts, separator=", ", ignore_nulls=True)


def _missing_of_recipient(section: AuditSection) -> pl.Expr:
    """Name what a parcel cannot do without; empty where all is there.

    Whoever is sealed or masked needs what the platform opens it by, and the plain region for routing.
    """

    def lacks(name: str) -> pl.Expr:
        return _of(name).is_null()

    country = _of("country")
    plain = _of("privacy") == "plain"
    key = _of("sealed").struct
    no_address = lacks("street") & (_of("address_lines").list.len() == 0)
    wanted = {
        "sealed.ref": ~plain & key.field("ref").is_null() & key.field("blob").is_null(),
        "name": plain & lacks("name"),
        "phone": plain
        & country.is_in(section.phone_required)
        & (lacks("phone") | _of("phone").str.contains(r"\*")),
        "country": plain & lacks("country"),
        "province": lacks("province") & (~plain | country.is_in(PROVINCE_NEEDED)),
        "city": lacks("city") & (~plain | ~country.is_in(CITY_NOT_NEEDED).fill_null(False)),
        "street": plain & no_address,
        "postcode": plain & lacks("postcode") & country.is_in(POSTCODE_NEEDED),
    }
    return _joined([pl.when(missing.fill_null(False)).then(pl.lit(name)) for name, missing in wanted.items()])


def _of(name: str) -> pl.Expr:
    return pl.col("recipient").struct.field(name)


def _holds(now: str) -> tuple[pl.Expr, pl.Expr]:
    """Name the holds that last at `now`: those that wait for a person, and those that end by themselves."""
    hold = pl.element().struct
    until = hold.field("until")
    lasts = until.is_null() | (until > now)
    needs_person = (
        (hold.field("source") == "platform") & until.is_null() & ~hold.field("code").is_in(PASSING_HOLDS)
    )
    shown = pl.concat_str(
        hold.field("code"), pl.when(until.is_not_null()).then(pl.lit(" until ") + until), ignore_nulls=True
    )

    def named(which: pl.Expr) -> pl.Expr:
        texts = pl.col("holds").list.eval(pl.when(lasts & which).then(shown))
        return texts.list.drop_nulls().list.join(", ")

    return named(needs_person), named(~needs_person)
