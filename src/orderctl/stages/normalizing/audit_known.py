"""What is known of orders beyond their rows: what people let pass, who is on the blacklist, what the ledger has seen.

People are known by keyed hashes only. All of it is looked up by the order or its keys, so rows may be divided anyhow.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl

from orderctl.model.errors import ConfigError, DataError
from orderctl.model.facts import Facts
from orderctl.model.identity import SEPARATOR, keyed_column
from orderctl.model.instant import FORMAT
from orderctl.model.text import Text
from orderctl.stages.rules.sections.audit import AUDITED, AuditSection, ManyOrders

BLACKLIST = pl.Schema({"key": pl.String(), "why": pl.String()})
DECISION = "blacklist"
OF = ("buyer", "recipient", "phone")
"""Whom a key is of. It begins with the word, so that a key says what it is."""
LASTING = ("address_id", "index", "canonical")
"""Proofs of a recipient that are the same whenever they are asked for."""
_HASH = r"^(?:buyer|recipient|phone):h:[0-9a-f]{32}$"


def person_keys(orders: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Give the keys (columns OF) of whoever ordered and whoever receives; null where it is not known.

    Args:
        orders: has `platform`, `shop`, `buyer_ref` and the canonical `recipient`.
        key: what hashes are keyed with.
    """
    to = pl.col("recipient").struct
    shown = (to.field("privacy") == "plain") & ~to.field("phone").str.contains(r"\*")
    phone = pl.concat_str(pl.lit("phone"), pl.when(shown).then(to.field("phone")), separator=SEPARATOR)
    recipient = pl.when(to.field("match_kind").is_in(LASTING)).then(to.field("match_key"))
    return orders.select(
        buyer=buyer_key(key),
        recipient=pl.lit("recipient:") + recipient,
        phone=pl.lit("phone:h:") + keyed_column(phone, key),
    )


def buyer_key(key: bytes) -> pl.Expr:
    """Give the key of whoever ordered, of columns platform, shop and buyer_ref; null where it is not known."""
    buyer = pl.concat_str(pl.lit("buyer"), "platform", "shop", "buyer_ref", separator=SEPARATOR)
    return pl.lit("buyer:h:") + keyed_column(buyer, key)


def spent_of() -> dict[str, pl.Expr]:
    """Give what is remembered of an order `order/1` as a buyer's past: `currency`, `spent_minor` and `returned`.

    What was never paid is no order of the past: `spent_minor` is null. What was refunded was not spent.
    """
    line = pl.element().struct
    refunded = pl.col("refunded_minor").fill_null(0)
    closed = pl.col("status") == "closed"
    back = pl.col("lines").list.eval(line.field("refund").is_in(["partly", "refunded"])).list.any()
    bought = pl.col("paid_at").is_not_null() | (pl.col("status").is_in(["shipped", "completed"]))
    spent = pl.when(closed).then(0).otherwise(pl.col("total_minor").fill_null(0) - refunded)
    return {
        "currency": pl.col("currency"),
        "spent_minor": pl.when(bought).then(spent),
        "returned": (closed | (refunded > 0) | back.fill_null(False)).cast(pl.Int64),
    }


def seen_marks(orders: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Give what is remembered of orders as `fetch` has read them: `buyer`, `recipient`, `notes`, hashes all of them.

    `recipient` says by what it is told (`canonical:`, `index:`, ...; `region:` where nothing else proves it): only two of
    one kind can be compared. It is null where nothing is told; `notes` is empty where there are none.

    Args:
        orders: `order/1` with the canonical `recipient`.
        key: what hashes are keyed with.
    """
    to = pl.col("recipient").struct
    region = pl.concat_str(
        [to.field(name) for name in ("country", "province", "city", "district")],
        separator=SEPARATOR,
        ignore_nulls=True,
    )
    notes = pl.concat_str(
        pl.col("buyer_note").fill_null(""), pl.col("seller_note").fill_null(""), separator=SEPARATOR
    )
    proven = to.field("match_kind").is_in(LASTING)
    proof = pl.when(proven).then(pl.concat_str(to.field("match_kind"), to.field("match_key"), separator=":"))
    where = pl.when(~proven & to.field("province").is_not_null()).then(region)
    return orders.select(
        recipient=pl.coalesce(proof, pl.lit("region:h:") + keyed_column(where, key)),
        notes=pl.coalesce(keyed_column(pl.when(notes != SEPARATOR).then(notes), key), pl.lit("")),
    ).with_columns(person_keys(orders, key)["buyer"])


def parse_blacklist(table: pl.DataFrame, source: str) -> pl.DataFrame:
    """Read a table of texts as BLACKLIST. Raises: ConfigError without a column `key`, or for a key that is no hash."""
    if "key" not in table.columns:
        raise ConfigError(Text("{source}: has no column {column}", source=source, column="key"))
    why = pl.col("why").cast(pl.String) if "why" in table.columns else pl.lit(None, dtype=pl.String)
    rows = table.select(key=pl.col("key").cast(pl.String).str.strip_chars(), why=why.str.strip_chars())
    rows = rows.filter(pl.col("key").is_not_null() & (pl.col("key") != ""))
    if bad := rows.with_row_index("at", 1).filter(~pl.col("key").str.contains(_HASH))["at"].to_list():
        raise ConfigError(
            Text("{source}: entry {at} is no key of a person", source=source, at=bad[0]),
            hint=Text(
                "orderctl ledger decide ORDER blacklist makes keys, orderctl ledger decisions shows them"
            ),
        )
    return rows


def blacklist_of(decisions: pl.DataFrame, table: pl.DataFrame | None) -> pl.DataFrame:
    """Give all keys on the blacklist (columns BLACKLIST), one row each: those of people's decisions before the table's.

    Raises: DataError if a decision has no payload with keys.
    """
    mine = decisions.filter(pl.col("decision") == DECISION).sort("at", "subject")
    rows = [
        (key, why)
        for *entry, why in mine.select("subject", "payload", "reason").iter_rows()
        for key in _keys(*entry)
    ]
    listed = [pl.DataFrame(rows, BLACKLIST, orient="row"), *([] if table is None else [table])]
    return pl.concat(listed).unique("key", keep="first", maintain_order=True)


def _keys(subject: str, payload: str | None) -> Iterator[str]:
    try:
        yield from (str(key) for key in json.loads(payload or "")["keys"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            Text("the decision blacklist of {subject} names no keys: make it again", subject=subject)
        ) from error


def with_listed(orders: pl.DataFrame, listed: pl.DataFrame, key: bytes) -> pl.DataFrame:
    """Add `listed` (who of the order is on the blacklist; null where nobody is) and `why_listed`."""
    if listed.is_empty():
        nothing = pl.lit(None, dtype=pl.String)
        return orders.with_columns(listed=nothing, why_listed=nothing)
    reasons = dict(listed.with_columns(pl.col("why").fill_null("")).iter_rows())
    keys = person_keys(orders, key)
    why = keys.select(
        pl.col(of).replace_strict(reasons, default=None, return_dtype=pl.String).alias(of) for of in OF
    )
    who = [pl.when(pl.col(of).is_not_null()).then(pl.lit(of)) for of in OF]
    told = why.select(
        listed=pl.concat_str(who, separator=", ", ignore_nulls=True),
        why_listed=pl.coalesce(OF),
    )
    return orders.hstack(told.with_columns(listed=pl.when(pl.col("listed") != "").then("listed")))


def known_of_orders(facts: Facts, section: AuditSection) -> pl.DataFrame:
    """Give what is known of single orders, a row each.

    Columns: `order_id`, `forced` (codes that people let pass) and `forced_at`; `of_buyer` and `of_recipient` (how many
    orders the same one made at most in a time that holds this order); `notes_at` and `recipient_at` (since when these
    are other ones).
    """
    seen = facts.seen
    changes = seen.select("order_id", "notes_at", "recipient_at").filter(
        pl.col("notes_at").is_not_null() | pl.col("recipient_at").is_not_null()
    )
    parts = [_forces(facts.decisions), changes]
    parts += [_counted(seen, who, section.many_orders) for who in ("buyer", "recipient")]
    known = parts[0]
    for part in parts[1:]:
        known = known.join(part, on="order_id", how="full", coalesce=True)
    return known


def _forces(decisions: pl.DataFrame) -> pl.DataFrame:
    """Give (`order_id`, `forced`, `forced_at`) of the decisions that let findings pass; the codes are in the payload."""
    return (
        decisions.filter(pl.col("decision") == "force")
        .select(
            order_id="subject", forced=pl.col("payload").str.extract_all("[a-z][a-z0-9_]*"), forced_at="at"
        )
        .explode("forced")
        .filter(pl.col("forced").is_in(AUDITED))
        .group_by("order_id")
        .agg(pl.col("forced").unique().sort(), pl.col("forced_at").max())
    )


def _counted(seen: pl.DataFrame, who: str, asked: ManyOrders | None) -> pl.DataFrame:
    """Give (`order_id`, `of_WHO`): the most orders of the same one in a time of `hours` that holds this order."""
    count = f"of_{who}"
    if asked is None:
        return pl.DataFrame(schema={"order_id": pl.String, count: pl.UInt32})
    each = seen.select("order_id", whose=who, at=pl.col("placed_at").str.to_datetime(FORMAT, time_unit="ms"))
    each = each.drop_nulls().sort("whose", "at", "order_id")
    back = each.rolling("at", period=f"{asked.hours}h", closed="right", group_by="whose").agg(back=pl.len())
    most = (
        back.rolling("at", period=f"{asked.hours}h", offset="0h", closed="left", group_by="whose")
        .agg(most=pl.col("back").max())
        .select(pl.col("most").cast(pl.UInt32).alias(count))
    )
    return each.select("order_id").hstack(most)
