"""What people decide of findings of the audit: which of them pass, and whom nothing is delivered to any more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import polars as pl

from orderctl.cli.mapping import mapped_rows
from orderctl.model.effect import JSON
from orderctl.model.errors import UsageError
from orderctl.model.problem import KINDS
from orderctl.model.text import Text
from orderctl.ports.ledger import Ledger
from orderctl.stages.normalizing.audit_known import OF, person_keys
from orderctl.stages.normalizing.recipients import canonical_recipients
from orderctl.stages.rules.sections.audit import AUDITED

CHANGING = ("notes_changed", "address_changed")
"""What may come again after it was let pass: who forces something else has not looked at it anew."""


def force_of(ledger: Ledger, subject: str, payload: JSON) -> JSON:
    """Give what is kept where a person lets findings pass: the codes, with those that passed before.

    `payload` is a code, a list of codes, or an object with them as `code`. Raises: UsageError for a code that is none, or
    that nobody may force.
    """
    given = payload.get("code") if isinstance(payload, Mapping) else payload
    asked = [str(code) for code in given] if isinstance(given, list) else [str(given)]
    may = [code for code in AUDITED if KINDS[code].forceable]
    for code in asked:
        if code not in may:
            raise UsageError(
                Text("{code} is no finding that can be forced", code=code),
                hint=Text("these can: {codes}", codes=", ".join(may)),
            )
    before = ledger.decisions().filter(pl.col("subject") == subject, pl.col("decision") == "force")
    kept = before["payload"].str.extract_all("[a-z][a-z0-9_]*").explode().to_list()
    codes = {*asked, *(code for code in kept if code in may and code not in CHANGING)}
    return {"code": sorted(codes)}


def release_of(ledger: Ledger, subject: str, payload: JSON) -> JSON:
    """Give what is kept where a person ends holds: their names, with those that were ended before.

    `payload` is an object with a name, or a list of names, as `hold`. Raises: UsageError if it names none.
    """
    given = payload.get("hold") if isinstance(payload, Mapping) else None
    asked = [
        name for name in (given if isinstance(given, list) else [given]) if isinstance(name, str) and name
    ]
    if not asked:
        raise UsageError(
            Text("--payload: name the rule whose hold ends: {example}", example='{"hold": "NAME"}')
        )
    decided = ledger.decisions().filter(pl.col("subject") == subject, pl.col("decision") == "release")
    before = [json.loads(text)["hold"] for text in decided["payload"].drop_nulls()]
    return {"hold": sorted({*asked, *(name for names in before for name in names)})}


def blacklist_of(ledger: Ledger, subject: str, payload: JSON) -> JSON:
    """Give what is kept where nothing is to be delivered any more to who is behind the order `subject`: hashes only.

    `payload` may name some of OF as `of`, else all are taken that the order tells; or give `keys`, which are taken as they
    are. Raises: UsageError if the ledger does not hold the order, or it tells nobody.
    """
    asked = payload if isinstance(payload, Mapping) else {}
    if "keys" in asked:
        return {"keys": asked["keys"]}
    wanted = asked.get("of", list(OF))
    if not isinstance(wanted, list) or not set(map(str, wanted)) <= set(OF):
        raise UsageError(Text("--payload: 'of' takes a list of {known}", known=", ".join(OF)))
    raw = ledger.newest_versions([subject])
    orders = mapped_rows(raw)
    if orders.is_empty():
        raise UsageError(
            Text("the ledger holds no order {order}", order=subject),
            hint=Text("give the id of an order that was fetched, such as taobao:SHOP:NUMBER"),
        )
    key = ledger.identity_key()
    told = person_keys(orders.with_columns(canonical_recipients(orders, key)[0]), key).row(0, named=True)
    keys: Sequence[str] = [told[of] for of in OF if of in wanted and told[of]]
    if not keys:
        raise UsageError(Text("{order} tells nothing by which anybody could be known again", order=subject))
    return {"keys": list(keys)}


def parse_payload(payload: str | None) -> JSON:
    """Read a payload. Raises: UsageError if it is no JSON."""
    try:
        found: JSON = json.loads(payload) if payload else None
    except ValueError as error:
        raise UsageError(Text("--payload is no JSON: {why}", why=str(error))) from error
    return found
