"""Many versions of an order become one: the newest, group of fields by group of fields.

An order is five registers: who gets it, what is in it, what the buyer and what the seller noted, and all the rest.
Each register takes the value of the newest version that has one; equally new ones are decided by their content.
So the outcome depends on the set of versions only, however often and in whatever order they are put together. A
register that is older than the rest of its order says so in `extra` (`group_versions`), for the next time.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from orderctl.model.schema import LINE, ORDER, conform
from orderctl.stages.merging.gift_lines import is_ours

_LINE = [part.name for part in LINE.fields]
_NOTED = r',?\s*"group_versions"\s*:\s*\{[^{}]*\}'


@dataclass(frozen=True)
class _Register:
    """Columns that are as new as the newest version in which `has` is true.

    `problems` is the beginning of the fields its problems are about, `wishes` the source of its wishes; an empty
    text stands for those of no other register.
    """

    name: str
    columns: tuple[str, ...]
    has: pl.Expr
    problems: str | None = None
    wishes: str | None = None


def _has_recipient() -> pl.Expr:
    """A platform that masks a recipient later, without a key to open it, no longer has it."""
    recipient = pl.col("recipient").struct
    sealed = recipient.field("sealed").struct
    openable = sealed.field("ref").is_not_null() | sealed.field("blob").is_not_null()
    shown = pl.any_horizontal(recipient.field(name).is_not_null() for name in ("name", "phone", "street"))
    lined = recipient.field("address_lines").list.len() > 0
    return openable | ((recipient.field("privacy") == "plain") & (shown | lined))


_GROUPS = (
    _Register("recipient", ("recipient",), _has_recipient(), problems="recipient"),
    _Register("lines", ("lines",), pl.col("lines").list.len() > 0, problems="lines"),
    _Register("buyer_note", ("buyer_note",), pl.col("buyer_note").is_not_null(), wishes="buyer_note"),
    _Register(
        "seller_note",
        ("seller_note", "seller_flag"),
        pl.any_horizontal(pl.col("seller_note", "seller_flag").is_not_null()),
        wishes="seller_note",
    ),
)
_GROUPED = [column for group in _GROUPS for column in group.columns]
_REST = _Register(
    "rest",
    tuple(c for c in ORDER if c not in ("order_id", *_GROUPED, "problems", "wishes")),
    pl.lit(True),
    problems="",
    wishes="",
)


def take_apart(shipments: pl.DataFrame) -> pl.DataFrame:
    """Give the orders that `shipments` were made of, field for field: a row for every order in every shipment.

    Gifts of ours are no lines of them.
    """
    numbered = shipments.select("orders", "lines").with_row_index("at")
    heads = numbered.select("at", "orders").explode("orders").unnest("orders")
    lines = (
        numbered.filter(pl.col("lines").list.len() > 0).select("at", "lines").explode("lines").unnest("lines")
    )
    ordered = lines.filter(~is_ours()).with_columns(quantity="quantity_ordered")
    per_order = ordered.group_by("at", "order_id", maintain_order=True).agg(lines=pl.struct(_LINE))
    return conform(heads.join(per_order, on=["at", "order_id"], how="left", maintain_order="left"), "order/1")


def newest(orders: pl.DataFrame) -> pl.DataFrame:
    """Give every order once, as new as `orders` (any number of versions, in any order) tell it."""
    doubled = orders["order_id"].is_duplicated()
    if not doubled.any():
        return orders
    versions = orders.filter(doubled).with_columns(whole=pl.struct(ORDER.names()).struct.json_encode())
    versions = versions.unique(["order_id", "whole"], maintain_order=True).drop("whole")
    several = versions["order_id"].is_duplicated()
    return pl.concat(
        [orders.filter(~doubled), versions.filter(~several), _resolved(versions.filter(several))]
    )


def _resolved(versions: pl.DataFrame) -> pl.DataFrame:
    extra = pl.col("extra").str.replace(_NOTED, "").str.replace(r"^\{\s*,\s*", "{")
    own = pl.concat_str(pl.col("updated_at", "observed_at").fill_null(""), separator="/")
    versions = versions.with_columns(
        own.alias("stamp_rest"),
        *(
            pl.coalesce(pl.col("extra").str.json_path_match(f"$.group_versions.{group.name}"), own).alias(
                f"stamp_{group.name}"
            )
            for group in _GROUPS
        ),
        extra=pl.when(~extra.str.contains(r"^\{\s*\}$")).then(extra),
    )
    found = _winners(versions, _REST)
    for group in _GROUPS:
        found = found.join(_winners(versions, group), on="order_id")
    older = [
        pl.when(pl.col(f"stamp_{name}") != pl.col("stamp_rest")).then(
            pl.format('"{}":"{}"', pl.lit(name), f"stamp_{name}")
        )
        for name in (group.name for group in _GROUPS)
    ]
    noted = pl.concat_str(older, separator=",", ignore_nulls=True)
    head = pl.col("extra").str.strip_suffix("}") + ","
    marked = pl.concat_str(head.fill_null("{"), pl.lit('"group_versions":{'), noted, pl.lit("}}"))
    return found.with_columns(
        problems=pl.concat_list("problems_rest", "problems_recipient", "problems_lines"),
        wishes=pl.concat_list("wishes_rest", "wishes_buyer_note", "wishes_seller_note"),
        extra=pl.when(noted != "").then(marked).otherwise("extra"),
    ).select(ORDER.names())


def _winners(versions: pl.DataFrame, register: _Register) -> pl.DataFrame:
    """Give for each order the columns of `register` (and its problems, wishes and stamp) of the version that wins."""
    stamp = f"stamp_{register.name}"
    values = [pl.col(register.columns)]
    if register.problems is not None:
        others = [group.problems for group in _GROUPS if group.problems]
        about = pl.element().struct.field("field").fill_null("")
        mine = (
            _about(about, register.problems)
            if register.problems
            else ~pl.any_horizontal(_about(about, other) for other in others)
        )
        values.append(pl.col("problems").list.filter(mine).alias(f"problems_{register.name}"))
    if register.wishes is not None:
        source = pl.element().struct.field("source").fill_null("")
        mine = source == register.wishes if register.wishes else ~source.is_in(["buyer_note", "seller_note"])
        values.append(pl.col("wishes").list.filter(mine).alias(f"wishes_{register.name}"))
    chosen = versions.select("order_id", stamp, register.has.fill_null(False).alias("has"), *values)
    content = pl.struct(pl.exclude("order_id", stamp, "has")).struct.json_encode()
    ranked = chosen.with_columns(content=content).sort("order_id", "has", stamp, "content")
    return ranked.unique("order_id", keep="last", maintain_order=True).drop("has", "content")


def _about(field: pl.Expr, register: str) -> pl.Expr:
    return field.str.contains(rf"^{register}(\W|$)")
