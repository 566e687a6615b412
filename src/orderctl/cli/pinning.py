"""What a person chooses instead of the rules, kept in the ledger: courier, service and warehouse of an order or a shipment.

A pin belongs to orders, so that it stays when they are joined anew; to the shipment itself only where an order is divided.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from orderctl.cli.desk import actor
from orderctl.cli.session import Session
from orderctl.model.errors import UsageError
from orderctl.model.text import Text
from orderctl.model.yamlfile import nearest
from orderctl.ports import batches
from orderctl.ports.tables.reading import read_table
from orderctl.stages.rules.book import RuleBook

CHOICES = ("courier", "service", "account", "issuer", "warehouse")
_CARRIED = CHOICES[:-1]
HEADINGS = {
    "id": ("id", "order_id", "shipment_id", "单号", "订单号", "发货单号", "编号"),
    "courier": ("courier", "快递"),
    "service": ("service", "快递产品"),
    "account": ("account", "快递账号"),
    "issuer": ("issuer", "取号方"),
    "warehouse": ("warehouse", "仓库"),
    "reason": ("reason", "原因"),
}
NOTHING = "-"
"""In a cell of a choice: what was pinned of this id is taken back."""


@dataclass(frozen=True)
class Pin:
    """What is to be kept for one id: choices by name; none takes the pin back."""

    id: str
    choices: Mapping[str, str]
    reason: str
    where: str


def pin_asked(
    session: Session,
    batch: str,
    *,
    pin: tuple[str, str] | None,
    unpin: str | None,
    pins: str | None,
    reason: str,
) -> None:
    """Keep what the command line asks for. Raises: UsageError, DataError, InputMissing."""
    if sum(given is not None for given in (pin, unpin, pins)) > 1:
        raise UsageError(Text("give one of --pin, --unpin and --pins at a time"))
    if pins is not None:
        keep_pins(session, batch, read_pins(pins, reason))
        return
    name, choice = pin or (unpin or "", "")
    keep_pins(session, batch, [Pin(name, parse_choice(choice) if pin else {}, reason, name)])


def parse_choice(text: str) -> dict[str, str]:
    """Read `SF`, `SF/特快`, `warehouse=hz` or several of them, parted by commas or blanks. Raises: UsageError."""
    found: dict[str, str] = {}
    for part in text.replace(",", " ").replace("，", " ").split():
        name, equals, value = part.partition("=")
        if not equals:
            name, value = "courier", part
        if name not in CHOICES or not value:
            raise UsageError(
                Text(
                    "{text}: a pin names a courier, or {names} with a value",
                    text=part,
                    names=", ".join(CHOICES),
                ),
                hint=nearest(name, CHOICES) or Text("as in {example}", example="SF/express,warehouse=hz"),
            )
        courier, slash, service = value.partition("/")
        given = {name: value}
        if name == "courier" and slash:
            given = {"courier": courier, "service": service}
        if found.keys() & given.keys() or not all(given.values()):
            raise UsageError(Text("{text}: say each choice once, with a value", text=text))
        found.update(given)
    if not found:
        raise UsageError(Text("{text}: say each choice once, with a value", text=text))
    return found


def read_pins(path: str, reason: str) -> list[Pin]:
    """Read a table of pins: a row with an id and what is chosen; rows that choose nothing are left out.

    Where headings begin with `pin_` only those are choices, so that a list with the couriers chosen by rules can be filled in.
    Raises: UsageError, DataError, InputMissing.
    """
    table = read_table(path)
    lower = {name.strip().lower(): name for name in table.columns}
    prefix = "pin_" if any(name.startswith("pin_") for name in lower) else ""
    asked = {name: tuple(f"{prefix}{word}" for word in words) for name, words in HEADINGS.items()}
    asked |= {"id": HEADINGS["id"], "reason": ("pin_reason", *HEADINGS["reason"])}
    named = {name: [lower[word] for word in words if word in lower] for name, words in asked.items()}
    column = {name: found[0] for name, found in named.items() if found}
    if "id" not in column or not column.keys() & set(CHOICES):
        raise UsageError(
            Text("{path}: a table of pins has an id and one of {names}", path=path, names=", ".join(CHOICES))
        )
    rows = table.select(pl.col(heading).alias(name) for name, heading in column.items())
    found: list[Pin] = []
    for line, row in enumerate(rows.iter_rows(named=True), start=2):
        choices = {name: str(row[name]) for name in CHOICES if row.get(name)}
        where = f"{path}:{line}"
        if not choices:
            continue
        if row["id"] is None:
            raise UsageError(Text("{where}: a row without an id", where=where))
        kept = {} if set(choices.values()) == {NOTHING} else choices
        found.append(Pin(row["id"], kept, row.get("reason") or reason, where))
    return found


def keep_pins(session: Session, batch: str, pins: Sequence[Pin]) -> None:
    """Keep pins in the ledger, all of them or none, each journaled with its reason. Raises: UsageError."""
    for pin in pins:
        if not pin.reason:
            raise UsageError(Text("--reason is needed: it is journaled with your name"))
    subjects = _subjects(session, batch, [pin.id for pin in pins])
    now = session.clock()
    with session.ledger() as ledger:
        planned = _plan(session.book, pins, subjects, ledger.decisions())
        for subject, payload, reason in planned:
            if payload is None:
                ledger.withdraw(subject, "pin", reason, actor(), now)
            else:
                ledger.decide(subject, "pin", reason, actor(), now, payload)
    taken = sum(payload is None for _, payload, _ in planned)
    session.console.summary(
        Text("{pinned} pins kept, {unpinned} taken back; route again", pinned=len(planned) - taken, unpinned=taken),
        pinned=len(planned) - taken, unpinned=taken,
    )  # fmt: skip


def _plan(
    book: RuleBook, pins: Sequence[Pin], subjects: Mapping[str, Sequence[str]], decisions: pl.DataFrame
) -> list[tuple[str, dict[str, str] | None, str]]:
    """Give what is to be kept of each subject, or None where its pin is taken back. Raises: UsageError."""
    decided = decisions.filter(pl.col("decision") == "pin").select("subject", "payload")
    before: dict[str, dict[str, str]] = {name: json.loads(text) for name, text in decided.iter_rows()}
    planned: list[tuple[str, dict[str, str] | None, str]] = []
    for pin in pins:
        for subject in subjects[pin.id]:
            if pin.choices:
                whole = merged(before.get(subject, {}), pin.choices)
                _check(book, pin, whole)
                if whole != before.get(subject):  # a list that comes back as it went keeps who said so first
                    planned.append((subject, whole, pin.reason))
                before[subject] = whole
            elif before.pop(subject, None) is not None:
                planned.append((subject, None, pin.reason))
    return planned


def merged(before: Mapping[str, str], choices: Mapping[str, str]) -> dict[str, str]:
    """Give a pin with new choices: another courier has none of the service and account of the one before."""
    old = {name: value for name, value in before.items() if "courier" not in choices or name not in _CARRIED}
    return {**old, **choices}


def _check(book: RuleBook, pin: Pin, whole: Mapping[str, str]) -> None:
    """Raise UsageError if a pin names what the rules do not know, or a service of no courier: nothing could be shipped with it."""
    if "courier" not in whole and set(_CARRIED) & whole.keys():
        raise UsageError(Text("{where}: a service or an account needs its courier", where=pin.where))
    uses = [use for rule in book.rules.couriers for use in rule.chain]
    known = {
        "courier": {use.courier for use in uses},
        "warehouse": {name for rule in book.rules.warehouses for name in rule.candidates},
    }
    for name, names in known.items():
        value = pin.choices.get(name)
        told = name == "courier" and "account" in pin.choices  # all that its label needs stands in the pin
        if value is not None and names and value not in names and not told:
            text = Text(
                "{where}: no rule uses the {name} {value}", where=pin.where, name=_WORDS[name], value=value
            )
            raise UsageError(text, hint=nearest(value, names) or _known(names))


_WORDS = {"courier": Text("courier"), "warehouse": Text("warehouse")}


def _known(names: set[str]) -> Text:
    return Text("these are used: {names}", names=", ".join(sorted(names)))


def _subjects(session: Session, batch: str, ids: Sequence[str]) -> dict[str, list[str]]:
    """Give for each id what its pin belongs to: an order itself, of a shipment of the batch its orders."""
    found = {name: [name] for name in ids if name.count(":") > 1}
    wanted = [name for name in dict.fromkeys(ids) if name not in found]
    if not wanted:
        return found
    if batch == "-":
        raise UsageError(
            Text("{order} is no id of an order", order=wanted[0]),
            hint=Text(
                "an id is PLATFORM:SHOP:NUMBER, as in order_id of a batch; to name a shipment, name its batch too"
            ),
        )
    refused = session.rejects(None)
    with batches.open_source(batch) as source:
        frame = batches.read_whole(source, ["shipment/1"], refused).frame
    session.finish_rejects(refused)
    found |= dict(_of_shipments(frame.filter(pl.col("shipment_id").is_in(wanted))))
    for name in wanted:
        if name not in found:
            raise UsageError(Text("the batch has no shipment {shipment}", shipment=name))
    return found


def _of_shipments(shipments: pl.DataFrame) -> Iterator[tuple[str, list[str]]]:
    order = pl.element().struct
    rows = shipments.select(
        "shipment_id",
        pl.col("orders").list.eval(order.field("order_id")).alias("ids"),
        divided=pl.col("orders").list.eval(order.field("parts").fill_null(1) > 1).list.any(),
    )
    for shipment_id, ids, divided in rows.iter_rows():
        yield shipment_id, [shipment_id] if divided else ids
