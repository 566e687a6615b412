"""What can be wrong with a row: the table of problem codes, and how a stage puts them into a batch.

A stage removes its own problems before it adds any, so running it twice is running it once. The Chinese
sentences are in `model/zh/problems.py`, under the English ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from orderctl.model.schema import PARAMS, PROBLEM
from orderctl.model.text import Locale, Text, sentences, visible

Severity = Literal["info", "warn", "wait", "block"]


@dataclass(frozen=True)
class Kind:
    """What a problem code means: how bad, whether a person may force it, the sentence, and what to do."""

    severity: Severity
    sentence: str
    advice: str = ""
    forceable: bool = False


KINDS: dict[str, Kind] = {
    # --- normalize: what keeps an order from being shipped
    "recipient_incomplete": Kind(
        "block", "the recipient lacks {missing}", "complete it at the platform, then fetch"
    ),
    "no_lines": Kind("block", "the order has no lines", "fetch it again or ask the platform"),
    "sku_unmapped": Kind("block", "no SKU is known for {items}", "add it to skus in the rules"),
    "sku_map_changed": Kind(
        "block",
        "{lines} is on its way already, and the SKU map now makes other lines of it",
        "take the change of the map back for it: orderctl ledger decide, or void what was done",
    ),
    "lines_renumbered": Kind(
        "block",
        "{lines} is on its way already, and the order has no such line now: it was read from elsewhere before",
        "if that parcel goes, give its number to the platform by hand, then fetch; if not, void its waybill: orderctl"
        " ledger show, then ledger resolve",
    ),
    "refund_open": Kind("block", "a refund is open on {lines}", "settle it at the platform, then fetch"),
    "not_paid": Kind("wait", "not paid yet", "nothing: it moves on when the payment is seen"),
    "held": Kind("wait", "held: {holds}", "nothing until the hold ends"),
    "held_by_platform": Kind(
        "block", "the platform holds it: {holds}", "clear the hold at the platform, then fetch"
    ),
    "total_mismatch": Kind(
        "block", "the amounts add up to {computed}, the total says {total}", "compare with the platform", True
    ),
    "total_unverifiable": Kind("info", "the source lacks {missing}, so the total cannot be checked"),
    "amount_unreadable": Kind("block", "{field} is no amount", "correct the source and fetch again"),
    "time_unreadable": Kind("warn", "{field} is no time"),
    "unknown_value": Kind(
        "warn", "{field} has the unknown value {value}", "check the mapping of this platform"
    ),
    "currency_missing": Kind("block", "the currency is missing", "name it in the column map or at the shop"),
    "address_conflict": Kind("block", "{city} is not in {province}", "correct the address", True),
    "address_elsewhere": Kind(
        "warn", "{district} is no district of {city} that the table knows", "correct the address", True
    ),
    "address_ambiguous": Kind(
        "warn", "there are several {name} and nothing says which", "complete the address", True
    ),
    "address_divided": Kind(
        "warn", "{old} is no more: it went to {new}", "see on a map in which of them it is now", True
    ),
    "address_renamed": Kind("info", "{old} is called {new} now"),
    "address_read": Kind("info", "{region} was read from the text of the address"),
    "address_completed": Kind("info", "{region} follows from the rest of the address"),
    "address_repeated": Kind("info", "{region} stood in the address twice"),
    "contact_in_address": Kind("info", "taken out of the address: {what}"),
    "phone_in_address": Kind(
        "warn", "another phone number stands in the address", "ask which of them the courier shall call", True
    ),
    "wishes_conflict": Kind(
        "warn",
        "the notes contradict each other: {wishes}",
        "the seller's word counts; mend the note at the platform if it is wrong",
        True,
    ),
    # what a person should look at, and may let pass: docs/audit.md
    "address_incomplete": Kind(
        "warn", "the address lacks {missing}", "ask the buyer, or complete it at the platform", True
    ),
    "phone_doubtful": Kind("warn", "the phone number is doubtful: {why}", "ask the buyer for another", True),
    "blacklisted": Kind(
        "block", "on the blacklist: {who} ({why})", "cancel it, or force it if you want to deliver", True
    ),
    "weight_high": Kind(
        "warn", "it weighs {weight} g, more than {limit} g", "see whether it is meant so", True
    ),
    "value_low": Kind(
        "warn", "the total is {total} {currency}, less than {limit}", "see whether the price is right", True
    ),
    "value_high": Kind(
        "warn", "the total is {total} {currency}, more than {limit}", "see whether it is meant so", True
    ),
    "below_cost": Kind(
        "warn", "{paid} {currency} is paid for what costs {cost}", "see whether the price is right", True
    ),
    "quantity_unusual": Kind("warn", "unusually many pieces: {items}", "see whether it is meant so", True),
    "discount_high": Kind(
        "warn", "{discount} of {goods} {currency} is taken off", "see whether the discount is meant so", True
    ),
    "free_order": Kind("warn", "the total is 0", "see whether it is meant so", True),
    "only_gifts": Kind("warn", "nothing but gifts is left to ship", "see whether it is meant so", True),
    "many_orders": Kind(
        "warn", "many orders within {hours} hours: {counts}", "see whether one person buys all there is", True
    ),
    "notes_changed": Kind("warn", "its notes changed after it was handed on ({at})", "read them again", True),
    "address_changed": Kind(
        "warn", "its recipient changed at the platform ({at})", "print nothing of what was made before", True
    ),
    "invoice_wanted": Kind("info", "an invoice is wanted", "issue it with the parcel or at the platform"),
    "promise_near": Kind("warn", "promised to be shipped by {ship_by}: {left} left", "ship it first", True),
    "promise_missed": Kind(
        "warn", "promised to be shipped by {ship_by}", "ship it first, or tell the buyer", True
    ),
    "just_paid": Kind(
        "wait",
        "waits until {until} for a second order or an early refund",
        "nothing: it moves on by itself",
        True,
    ),
    "risk": Kind(
        "warn", "risk {score} of 100: {reasons}", "look at the order, then force it or cancel it", True
    ),
    "nothing_to_ship": Kind("info", "nothing is left to ship"),
    # --- merge
    "merge_suggested": Kind("info", "may belong with {shipment} ({score}: {evidence})"),
    "committed_elsewhere": Kind(
        "wait", "it also holds goods of {orders}, not in this batch", "give these orders in the same batch"
    ),
    "committed_beyond": Kind(
        "block",
        "less of {orders} may be shipped than this shipment holds",
        "void the waybill, then run the pipe again",
    ),
    # --- route
    "no_courier": Kind("block", "no courier rule matched", "add a rule, or a last one without conditions"),
    "no_warehouse": Kind(
        "block", "no warehouse rule matched", "add a rule, or a last one without conditions"
    ),
    "out_of_stock": Kind("wait", "not enough in stock: {missing}", "nothing: it moves on when stock arrives"),
    "warehouse_full": Kind(
        "wait", "no more parcels leave {warehouses} today", "run route again tomorrow, or raise the capacity"
    ),
    "courier_full": Kind(
        "wait",
        "no courier of the rule has room left today: {full}",
        "nothing: it moves on tomorrow, or name another courier under 'otherwise'",
    ),
    "courier_unweighed": Kind(
        "warn",
        "couriers that could not be weighed came last: {couriers}",
        "complete the tables: tariffs, transit, performance",
    ),
    "not_served": Kind(
        "block",
        "does not deliver there: {refused}",
        "name another courier under 'otherwise' of the rule, or pin one that delivers",
    ),
    "held_until": Kind("wait", "held until {until}: {holds}", "nothing: it moves on by itself"),
    "preorder": Kind("wait", "pre-ordered, until {until}: {holds}", "nothing: it moves on by itself"),
    "held_for_person": Kind(
        "block",
        "held until a person releases it: {holds}",
        "see what is wrong, then: orderctl ledger decide ORDER release",
    ),
    "no_tariff": Kind("warn", "no tariff of {courier} covers {province}"),
    "fact_missing": Kind("warn", "rule {rule} could not be judged: {facts} unknown"),
    "weight_unknown": Kind("warn", "the weight of {skus} is unknown"),
    # --- print and ship
    "no_issuer": Kind(
        "block",
        "no issuer of waybill numbers is set for {courier}",
        "add one under issuers in the configuration",
    ),
    "waybill_refused": Kind("block", "the issuer refused: {code}", "correct the shipment and print again"),
    "seal_not_opened": Kind(
        "block",
        "the issuer cannot have this recipient opened",
        "print it in the platform's back office, or name another issuer",
    ),
    "waybill_later": Kind("wait", "the issuer could not be reached: {code}", "run the same command again"),
    "waybill_unknown": Kind("block", "the waybill may have been bought", "see orderctl ledger pending"),
    "print_refused": Kind("block", "the printer refused: {code}", "see the device, then print again"),
    "print_later": Kind("wait", "not printed: {code}", "run the same command again"),
    "print_unknown": Kind(
        "block", "it may have been printed", "look at the paper, then orderctl ledger resolve"
    ),
    "unprintable": Kind(
        "block", "the {document} cannot be printed: {why}", "correct the text or the template"
    ),
    "ship_refused": Kind("block", "the platform refused: {code}", "see the platform, then ship again"),
    "ship_later": Kind("wait", "not told to the platform: {code}", "run the same command again"),
    "ship_unknown": Kind("block", "the platform may have been told", "see orderctl ledger pending"),
    "ship_unauthorized": Kind(
        "wait",
        "the platform refuses our credentials: {code}",
        "orderctl auth login SHOP, then run the same command again",
    ),
    "shipped_elsewhere": Kind("block", "shipped by someone else", "compare with the platform"),
    "ship_refunding": Kind(
        "block",
        "a refund is open at the platform",
        "settle it at the platform, then fetch and run the pipe again",
    ),
    "ship_bad_number": Kind(
        "block",
        "the platform does not take this waybill number",
        "check number and courier, then print and ship again",
    ),
    "ship_courier_unknown": Kind(
        "block",
        "the platform does not know this courier",
        "name its code as courier.CODE in the settings of the shop",
    ),
    "ship_order_not_found": Kind(
        "block",
        "the platform knows no such order in this shop",
        "check the shop in the configuration, then fetch",
    ),
    "ship_not_shippable": Kind(
        "block", "its state at the platform forbids shipping", "fetch and run the pipe again"
    ),
    "ship_partial_line": Kind(
        "block", "the platform ships a line only as a whole", "ship all pieces of the line together"
    ),
    "ship_address_changed": Kind(
        "block", "the buyer changed the address", "stop the parcel, then fetch and run the pipe again"
    ),
    "ship_held": Kind(
        "block", "the platform holds the order", "clear the hold at the platform, then ship again"
    ),
    "ship_no_amend": Kind(
        "block", "this platform has no way to correct a number", "correct it in the shop's back office"
    ),
    "no_api": Kind(
        "wait",
        "the shop {shop} has no API here",
        "upload the numbers in its back office: orderctl view -c order_ids,courier,numbers",
    ),
    "no_number": Kind("wait", "no waybill number yet", "print first"),
    "conflict": Kind(
        "block", "an earlier {effect} of this was for something else", "see orderctl ledger pending"
    ),
    "busy": Kind("wait", "another run is at it", "run the same command again"),
    "changed_since": Kind("block", "changed at the platform: {fields}", "fetch and run the pipe again"),
    "not_fresh": Kind("wait", "the platform could not be asked: {code}", "run the same command again"),
}


def listed(structs: Sequence[pl.Expr]) -> pl.Expr:
    """Give a list of one struct of each expression; as an array first, since concat_list takes ten times as long."""
    return pl.concat_arr(structs).arr.to_list()


def problem(code: str, /, *, stage: str, field: str | None = None, **params: pl.Expr | str) -> pl.Expr:
    """Build a problem of `code` as a struct column; parameters may be columns (any type) or fixed texts.

    Raises: KeyError for a code that is not in the table or a parameter that is not given, ValueError for a parameter
        the sentence does not have; all of these are bugs.
    """
    kind = KINDS[code]
    if field is not None and "{field}" in kind.sentence:
        params["field"] = field
    texts = {k: (v.cast(pl.String) if isinstance(v, pl.Expr) else pl.lit(v)) for k, v in params.items()}
    holed = kind.sentence.format_map(dict.fromkeys(texts, "\0"))
    order = sorted(texts, key=lambda name: kind.sentence.index("{" + name + "}"))
    parts: list[pl.Expr] = []
    for piece, name in zip(holed.split("\0"), [*order, None], strict=True):
        parts.append(pl.lit(piece))
        if name:
            parts.append(texts[name].fill_null("?"))
    shown = [pl.struct(name=pl.lit(k), value=texts[k]) for k in order]
    return pl.struct(
        code=pl.lit(code),
        params=listed(shown).cast(PARAMS) if shown else pl.lit([], dtype=PARAMS),
        field=pl.lit(field, dtype=pl.String),
        severity=pl.lit(kind.severity),
        forceable=pl.lit(kind.forceable),
        stage=pl.lit(stage),
        message=pl.concat_str(parts),
    ).cast(PROBLEM)


def replace_problems(stage: str, found: list[tuple[pl.Expr, pl.Expr]]) -> pl.Expr:
    """Give the column `problems` with those of `stage` replaced: each (condition, problem) where the condition is true."""
    kept = pl.col("problems").list.filter(pl.element().struct.field("stage") != stage)
    if not found:
        return kept.alias("problems")
    fresh = listed([pl.when(c.fill_null(False)).then(p) for c, p in found]).list.drop_nulls()
    return pl.concat_list(kept, fresh).alias("problems")


def has_severity(severity: Severity, problems: str = "problems") -> pl.Expr:
    """True where a row has a problem of `severity`."""
    return pl.col(problems).list.eval(pl.element().struct.field("severity") == severity).list.any()


def finding(code: str, /, *, stage: str, field: str | None = None, **params: str | None) -> dict[str, Any]:
    """Build the same problem as a plain record, for actions, which work row by row."""
    kind = KINDS[code]
    if field is not None and "{field}" in kind.sentence:
        params["field"] = field
    shown = {name: "?" if value is None else value for name, value in params.items()}
    order = sorted(params, key=lambda name: kind.sentence.index("{" + name + "}"))
    return {
        "code": code,
        "params": [{"name": name, "value": params[name]} for name in order],
        "field": field,
        "severity": kind.severity,
        "forceable": kind.forceable,
        "stage": stage,
        "message": kind.sentence.format_map(shown),
    }


def sentence(found: Mapping[str, Any], locale: Locale) -> str:
    """Write a problem, and what to do about it, in the reader's language."""
    kind = KINDS.get(found["code"])
    if kind is None:
        return visible(found["message"])
    params = {p["name"]: _worded(p["name"], p["value"], locale) for p in found["params"]}
    text = Text(kind.sentence, **params).render(locale)
    return f"{text}: {Text(kind.advice).render(locale)}" if kind.advice else text


def _worded(name: str, value: str | None, locale: Locale) -> str:
    """Give a parameter as it is shown: a list of codes that have words in the reader's language in those."""
    codes, words = (value or "?").split(", "), sentences(locale)
    named = [words.get(f"{name}: {code}") for code in codes]
    return "、".join(word for word in named if word) if all(named) else ", ".join(codes)
