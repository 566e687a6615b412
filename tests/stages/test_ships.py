"""What platforms are told of a shipment: one telling for each order, the same before and after a correction."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.effect import Entry, State
from orderctl.model.schema import SHIPMENT
from orderctl.stages.plans import ships

KEY = b"k" * 32
AT = "2026-11-24T00:00:00Z"


def line(order_id: str, ref: str, quantity: int = 1) -> dict[str, Any]:
    return {"order_id": order_id, "line_ref": ref, "sku": "TEA", "quantity": quantity, "quantity_ordered": quantity,
            "quantity_refunded": 0}  # fmt: skip


def shipment(*numbers: str, courier: str = "YTO", orders: tuple[str, ...] = ("a:s:1",)) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(SHIPMENT)
    row.update(
        shipment_id="S-1",
        purpose="sale",
        courier=courier,
        orders=[{"order_id": o} for o in orders],
        lines=[line(o, "1") for o in orders],
        parcels=[{"parcel_no": i, "number": n} for i, n in enumerate(numbers, 1)],
        decision=[],
        shipped=[],
        problems=[],
    )
    return row


def plan(row: dict[str, Any], *fixes: ships.Correction) -> list[ships.Telling]:
    return ships.plan_ships([row], key=KEY, revisions={}, corrections={"a:s:1/S-1": fixes})


def mark(row: dict[str, Any], *fixes: ships.Correction) -> str:
    (telling,) = plan(row, *fixes)
    return telling.effect.fingerprint


def fix(
    before: str, number: str, parcel_no: int = 1, courier: str = "YTO", by: str = "YTO"
) -> ships.Correction:
    return ships.Correction(parcel_no, number, courier, before, by)


def test_every_order_of_a_parcel_is_told_once() -> None:
    tellings = plan(shipment("N1", orders=("a:s:1", "a:s:2", "b:t:3")))
    assert [t.effect.subject for t in tellings] == ["a:s:1/S-1", "a:s:2/S-1", "b:t:3/S-1"]
    assert all({c.order_id for c in t.effect.claims} == {t.order["order_id"]} for t in tellings)


@pytest.mark.parametrize("numbers", [("N1", ""), (None,)])
def test_nothing_is_told_before_every_parcel_has_its_number(numbers: tuple[Any, ...]) -> None:
    assert plan(shipment(*numbers)) == []


@given(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=6))
def test_a_chain_of_corrections_leaves_the_meaning_as_it_was(chain: list[str]) -> None:
    told = ["A", *chain]
    fixes = [fix(before, number) for before, number in itertools.pairwise(told)]
    meaning = mark(shipment("A"))
    assert {mark(shipment(number), *fixes) for number in told} == {meaning}
    assert mark(shipment("Z"), *fixes) != meaning


def test_a_corrected_courier_and_a_second_parcel() -> None:
    fixes = [fix("N2", "N9", parcel_no=2), fix("N1", "N8", courier="SF")]
    meaning = mark(shipment("N1", "N2"))
    assert mark(shipment("N8", "N9", courier="SF"), *fixes) == meaning
    assert mark(shipment("N1", "N9"), *fixes) == meaning
    assert mark(shipment("N8", "N3", courier="SF"), *fixes) != meaning
    assert mark(shipment("N8", "N9", courier="ZTO"), *fixes) != meaning


def entry(revision: int, result: dict[str, Any] | None, *, of: int = 1, state: State = State.DONE) -> Entry:
    whole = None if result is None else {"of": of, "at": AT, **result}
    return Entry(
        key=f"platform.amend|a:s:1/S-1|sale|{revision}", kind=ships.AMEND, subject="a:s:1/S-1", purpose="sale",
        revision=revision, fingerprint="f", shipment_id="S-1", claims=(), state=state, result=whole, error=None,
        attempts=1, started_at=AT, settled_at=AT, job=None, page=None, owner="r", fence=1,
    )  # fmt: skip


def result(before: str, number: str) -> dict[str, Any]:
    return fix(before, number)._asdict()


def test_corrections_come_in_their_order_and_only_those_of_this_telling() -> None:
    amends = [
        entry(10, result("C", "D")),
        entry(2, result("B", "C")),
        entry(1, result("A", "B")),
        entry(3, None, state=State.UNKNOWN),
        entry(4, result("X", "Y"), of=2),
    ]
    assert [c.number for c in ships.corrections_of(amends, 1)] == ["B", "C", "D"]
    assert [c.number for c in ships.corrections_of(amends, 2)] == ["Y"]


def test_what_a_person_settled_counts_as_corrected_without_a_number() -> None:
    settled = replace(entry(1, None), result={"state": "corrected", "number": None, "at": AT})
    assert ships.corrections_of([settled], 1) == []
    row = shipment("N1")
    ships.fold_ship(row, "a:s:1", {"at": AT})
    ships.fold_amend(row, "a:s:1", ships.amends_of([settled], 1)[0])
    assert [s["state"] for s in row["shipped"]] == ["corrected"]


def test_another_number_is_another_effect_and_the_same_is_the_same() -> None:
    told = replace(entry(1, None), kind=ships.KIND)

    def effect(number: str, parcel: int = 1, told: Entry = told) -> Any:
        return ships.plan_amend(told, parcel_no=parcel, number=number, courier="YTO", revision=1, key=KEY)

    assert effect("A") == effect("A")
    assert effect("A").fingerprint != effect("B").fingerprint
    assert effect("A").fingerprint != effect("A", told=replace(told, revision=2)).fingerprint
    assert effect("A", 2).subject == "a:s:1/S-1#2"
    assert {ships.told_subject(effect("A", n).subject) for n in (1, 2, 3)} == {"a:s:1/S-1"}
    assert not effect("A").claims


@pytest.mark.parametrize("subject", ["map:s:#1001/S-1", "map:s:a#b/S-1", "a:s:1/S-1"])
def test_an_order_with_a_hash_in_its_name(subject: str) -> None:
    assert ships.told_subject(subject) == subject
    assert ships.told_subject(ships.amend_subject(subject, 2)) == subject


def test_what_was_told_stands_in_the_row_parcel_by_parcel() -> None:
    row = shipment("N1", "N2", "N3", orders=("a:s:1", "a:s:2"))
    for _ in range(2):
        ships.fold_ship(row, "a:s:2", {"at": AT, "untold": "N2,N3"})
        ships.fold_ship(row, "a:s:1", {"at": AT})
    found = [(s["order_id"], s["parcel_no"], s["state"]) for s in row["shipped"]]
    assert found == [("a:s:1", 1, "told"), ("a:s:1", 2, "told"), ("a:s:1", 3, "told"),
                     ("a:s:2", 1, "told"), ("a:s:2", 2, "untold"), ("a:s:2", 3, "untold")]  # fmt: skip
    ships.fold_amend(row, "a:s:1", {"at": AT, "parcel_no": 2, "number": "N9"})
    changed = [s for s in row["shipped"] if s["state"] == "corrected"]
    assert [(s["order_id"], s["parcel_no"], s["detail"]) for s in changed] == [("a:s:1", 2, "N9")]
