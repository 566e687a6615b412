"""What must be equal for orders to travel in one parcel, part by part.

The parts stand in order, from the strictest on: nobody may join what differs in the first (`territory`), rules and
people decide on the rest. Each part names the reason it gives where it alone keeps two orders apart.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.identity import SEPARATOR, keyed_column
from orderctl.stages.merging.addresses import address_text
from orderctl.stages.rules.sections.merge import MergeSection

# A key of these kinds is only comparable among the orders of one shop.
SHOP_KEYS = ("address_id", "index", "asked")
# Their orders travel under waybills of the platform's own, so never with those of another platform.
OWN_WAYBILLS = ("douyin", "jd", "kuaishou", "pdd", "taobao", "tmall", "wechat_shop", "xiaohongshu")
REASONS = {
    "territory": "platform_forbids",
    "scope": "other_shop",
    "currency": "other_currency",
    "payment": "other_payment",
    "presale": "presale",
    "wishes": "other_wish",
    "same": "other_note",
}
"""Parts of the key besides `who`, in order, and why two orders are apart that differ in it."""
_MISSING = "\0"


def key_parts(rules: MergeSection, facts: Facts) -> dict[str, pl.Expr]:
    """Give `who` and the parts named in REASONS, except `wishes`, as columns of an order.

    `who` is null where nothing tells.
    """
    same = pl.concat_str([pl.col(n).fill_null(_MISSING) for n in rules.same], separator=SEPARATOR)
    presale = pl.lit(False) if "presale" in rules.even else pl.col("tags").list.contains("presale")
    return {
        "who": who(rules),
        "territory": territory(),
        "scope": scope_of(rules, facts),
        "currency": pl.col("currency").fill_null(_MISSING),
        "payment": pl.col("payment").fill_null(_MISSING),
        "presale": presale.cast(pl.String),
        "same": same if rules.same else pl.lit(""),
    }


def who(rules: MergeSection) -> pl.Expr:
    """Name who gets an order, as the rules ask: the recipient, or the buyer with the address or its district.

    Only a plain recipient can be compared otherwise than by its match key.
    """
    recipient = pl.col("recipient").struct
    proven = pl.concat_str(recipient.field("match_kind"), recipient.field("match_key"), separator=":")
    if rules.by == "recipient":
        return proven
    buyer = pl.concat_str("platform", "shop", "buyer_ref", separator=SEPARATOR)
    levels = (recipient.field(n).fill_null("") for n in ("country", "province", "city", "district"))
    district = pl.concat_str(levels, separator=SEPARATOR)
    place = pl.when(recipient.field("province").is_not_null() | recipient.field("city").is_not_null())
    near = place.then(district) if rules.by == "buyer" else pl.concat_str(district, address_text())
    plain = recipient.field("privacy") == "plain"
    return pl.concat_str(buyer, pl.when(plain).then(near).otherwise(proven), separator=SEPARATOR)


def shown_key(rules: MergeSection, facts: Facts) -> pl.Expr:
    """Give what `merge.key` tells of an order: what it was compared by, never a buyer or an address as such."""
    if rules.by == "recipient":
        return who(rules)
    return pl.lit(f"{rules.by}:h:") + keyed_column(who(rules), facts.key)


def territory() -> pl.Expr:
    """Name where an order's parcel may come from at all; what differs in this, no rule and no person may join.

    A sealed recipient is only known to be the same where its platform says so, and what one shop proves says
    nothing of another shop; some platforms give waybills of their own, for their own orders.
    """
    recipient = pl.col("recipient").struct
    in_shop = recipient.field("match_kind").is_in(SHOP_KEYS)
    own_shop = pl.concat_str("platform", "shop", separator=":")
    home = (
        pl.when(in_shop)
        .then(own_shop)
        .when(pl.col("platform").is_in(OWN_WAYBILLS))
        .then("platform")
        .otherwise(pl.lit(""))
    )
    proven = pl.coalesce(recipient.field("match_key"), pl.col("order_id"))
    sealed = pl.when(recipient.field("privacy") != "plain").then(proven).otherwise(pl.lit(""))
    return pl.concat_str(home, sealed.fill_null(""), separator="|")


def scope_of(rules: MergeSection, facts: Facts) -> pl.Expr:
    """Name the circle of shops whose orders may be joined."""
    if rules.scope == "any":
        return pl.lit("any")
    if rules.scope == "platform":
        return pl.concat_str(pl.lit("platform:"), "platform")
    shop = pl.concat_str(pl.lit("shop:"), "platform", pl.lit(":"), "shop")
    if rules.scope == "shop":
        return shop
    group = pl.col("shop").replace_strict(facts.shop_groups, default=None, return_dtype=pl.String)
    return pl.coalesce(pl.lit("group:") + group, shop) if facts.shop_groups else shop
