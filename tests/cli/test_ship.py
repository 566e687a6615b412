"""ship: several parcels, refusals told apart, and numbers corrected on purpose, each exactly once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from orderctl.ports.ledger import Ledger
from tests.cli.desk import KEY, QUARTER, START, Clock, Desk, opened

WHY = ("--reason", "typed the wrong one")
SHIP = ("ship", "printed.jsonl", "-o", "shipped.jsonl")


@pytest.fixture(scope="session")
def printed(routed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a desk that has come as far as `print`; to be copied, never changed."""
    folder = tmp_path_factory.mktemp("ship-printed") / "desk"
    shutil.copytree(routed, folder)
    with opened(folder) as one:
        one.steps("print", "print")
    return folder


@pytest.fixture(scope="session")
def told(printed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a desk whose platforms were told; to be copied, never changed."""
    folder = tmp_path_factory.mktemp("ship-told") / "desk"
    shutil.copytree(printed, folder)
    with opened(folder) as one:
        one.steps("ship", "ship")
    return folder


@pytest.fixture
def reopened(tmp_path: Path) -> Iterator[Callable[[Path], Desk]]:
    desks: list[Desk] = []

    def reopen(folder: Path) -> Desk:
        shutil.copytree(folder, tmp_path / "desk")
        desks.append(Desk(tmp_path / "desk", clock=Clock(START + QUARTER)))
        return desks[0]

    yield reopen
    for desk in desks:
        desk.close()


def rows_of(desk: Desk, platform: str, *, orders: int = 1) -> dict[str, Any]:
    """A shipment of so many orders that was told to one platform."""
    return next(
        row
        for row in desk.rows("shipped.jsonl")
        if row["shipped"]
        and len(row["orders"]) == orders
        and all(o["platform"] == platform for o in row["orders"])
    )


def another(number: str) -> str:
    """A number of the same form."""
    return number[:-1] + str((int(number[-1]) + 1) % 10)


def amends(desk: Desk) -> list[tuple[str, str]]:
    return [(b["subject"], b["number"]) for b in desk.sandbox.books("amend")]


def journal(desk: Desk, event: str) -> list[dict[str, Any]]:
    with Ledger.open(desk.path("state") / "ledger.db", run_id="looking", host="h", key=KEY) as ledger:
        found = ledger.journal().to_dicts()
    return [{**row, **json.loads(row["data"] or "{}")} for row in found if row["event"] == event]


@pytest.mark.parametrize("platform", ["taobao", "shopify"])
def test_a_number_is_corrected_once(reopened: Callable[[Path], Desk], told: Path, platform: str) -> None:
    desk = reopened(told)
    row = rows_of(desk, platform)
    order, number = row["orders"][0], another(row["parcels"][0]["number"])
    for count in (1, 0):
        ran = desk.run("ship", "--correct", order["order_id"], "--number", number, *WHY)
        assert ran.code == 0, ran.err
        assert f"{count} orders corrected, {1 - count} were before" in ran.err
    assert amends(desk) == [(order["platform_ref"], number)]
    assert [(e["actor"] != "", e["reason"]) for e in journal(desk, "revision.opened")] == [(True, WHY[1])]
    assert desk.run("ledger", "verify").code == 0
    assert desk.run("ledger", "pending").code == 0

    books = desk.sandbox.books()
    assert desk.run(*SHIP).code in (0, 3)
    again = next(r for r in desk.rows("shipped.jsonl") if r["shipment_id"] == row["shipment_id"])
    assert [(s["state"], s["detail"]) for s in again["shipped"]] == [("corrected", number)]
    assert desk.sandbox.books() == books


def test_all_orders_of_a_shipment_are_corrected(reopened: Callable[[Path], Desk], told: Path) -> None:
    desk = reopened(told)
    row = next(r for r in desk.rows("shipped.jsonl") if len({s["order_id"] for s in r["shipped"]}) > 1)
    number = another(row["parcels"][0]["number"])
    ran = desk.run("ship", "--correct", row["shipment_id"], "--number", number, *WHY)
    assert ran.code == 0, ran.err
    assert sorted(amends(desk)) == sorted((o["platform_ref"], number) for o in row["orders"])


def test_a_number_corrected_twice_and_back(reopened: Callable[[Path], Desk], told: Path) -> None:
    desk = reopened(told)
    row = rows_of(desk, "taobao")
    first = row["parcels"][0]["number"]
    second = another(first)
    third = another(second)
    for number in (second, third, first):
        assert desk.run("ship", "--correct", row["shipment_id"], "--number", number, *WHY).code == 0
    assert [number for _, number in amends(desk)] == [second, third, first]
    assert [e["revision"] for e in journal(desk, "revision.opened")] == [1, 2, 3]
    for number in (first, second, third):  # whichever batch is at hand, nothing is told again
        rows = desk.rows("printed.jsonl")
        mine = next(r for r in rows if r["shipment_id"] == row["shipment_id"])
        mine["parcels"][0]["number"] = number
        desk.path("one.jsonl").write_text(json.dumps(mine, ensure_ascii=False) + "\n")
        ran = desk.run("ship", "one.jsonl")
        assert ran.code == 0, ran.err
        assert ran.rows[0]["shipped"][0]["detail"] == first
    assert len(amends(desk)) == 3


def test_a_batch_with_another_number_is_a_conflict_that_a_correction_ends(
    reopened: Callable[[Path], Desk], told: Path
) -> None:
    desk = reopened(told)
    row = rows_of(desk, "taobao")
    mine = next(r for r in desk.rows("printed.jsonl") if r["shipment_id"] == row["shipment_id"])
    number = another(mine["parcels"][0]["number"])
    mine["parcels"][0]["number"] = number
    desk.path("one.jsonl").write_text(json.dumps(mine, ensure_ascii=False) + "\n")
    ran = desk.run("ship", "one.jsonl")
    assert ran.code == 4
    assert [p["code"] for p in ran.rows[0]["problems"] if p["stage"] == "ship"] == ["conflict"]
    assert desk.run("ship", "--correct", row["shipment_id"], "--number", number, *WHY).code == 0
    assert desk.run("ledger", "pending").code == 0
    ran = desk.run("ship", "one.jsonl")
    assert (ran.code, ran.rows[0]["shipped"][0]["state"]) == (0, "corrected")


@pytest.mark.parametrize(
    ("platform", "operation"),
    [("taobao", "taobao.logistics.consign.resend"), ("shopify", "shopify:fulfillmentTrackingInfoUpdate")],
)
def test_a_correction_nobody_answered_is_made_once(
    reopened: Callable[[Path], Desk], told: Path, platform: str, operation: str
) -> None:
    desk = reopened(told)
    row = rows_of(desk, platform)
    words = ("ship", "--correct", row["shipment_id"], "--number", another(row["parcels"][0]["number"]), *WHY)
    desk.sandbox.set_faults([[operation, 1, "after_cut"]])
    ran = desk.run(*words)
    assert ran.code == 4, ran.err
    assert desk.run("ledger", "pending").code == 4
    ran = desk.run(*words)
    assert ran.code == 0, ran.err
    assert len(amends(desk)) == 1
    assert desk.run("ledger", "pending").code == 0


def test_a_correction_killed_before_it_was_recorded(reopened: Callable[[Path], Desk], told: Path) -> None:
    desk = reopened(told)
    row = rows_of(desk, "shopify")
    words = ("ship", "--correct", row["shipment_id"], "--number", another(row["parcels"][0]["number"]), *WHY)
    silence = {
        "on": "shopify:fulfillmentTrackingInfoUpdate",
        "nth": 1,
        "fault": "after_silence",
        "seconds": 60,
    }
    desk.sandbox.set_faults([silence])
    process = desk.start(*words)
    end = time.monotonic() + 60
    while not amends(desk) and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert len(amends(desk)) == 1
    ran = desk.run(*words)
    assert ran.code == 0, ran.err
    assert len(amends(desk)) == 1
    assert desk.run("ledger", "verify").code == 0


def test_a_correction_killed_at_any_instant(reopened: Callable[[Path], Desk], told: Path) -> None:
    desk = reopened(told)
    row = rows_of(desk, "taobao")
    number = row["parcels"][0]["number"]
    expected = []
    for part in range(4):
        number = another(number)
        expected.append(number)
        words = ("ship", "--correct", row["shipment_id"], "--number", number, *WHY)
        process = desk.start(*words)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.5 + part * 0.15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        ran = desk.run(*words)
        assert ran.code == 0, ran.err
    assert [number for _, number in amends(desk)] == expected
    assert desk.run("ledger", "verify").code == 0


def test_what_cannot_be_corrected(reopened: Callable[[Path], Desk], printed: Path) -> None:
    desk = reopened(printed)
    row = next(r for r in desk.rows("printed.jsonl") if r["parcels"][0]["number"])
    id, number = row["shipment_id"], row["parcels"][0]["number"]
    for words, code in (
        (("ship", "--correct", id, "--number", "YT1", *WHY), 65),  # nothing was told yet
        (("ship", "--correct", "nobody", "--number", "YT1", *WHY), 65),
        (("ship", "--correct", id, *WHY), 2),
        (("ship", "--correct", id, "--number", "YT1"), 2),
        (("ship", "printed.jsonl", "--number", "YT1"), 2),
        (("ship", "printed.jsonl", *WHY), 2),
    ):
        ran = desk.run(*words)
        assert ran.code == code, ran.err
        ran.one_message()
    desk.sandbox.set_faults([["taobao.logistics.offline.send", list(range(1, 99)), "after_cut"]])
    assert desk.run(*SHIP).code == 4
    silent = next(
        r["shipment_id"]
        for r in desk.rows("shipped.jsonl")
        if "ship_unknown" in {p["code"] for p in r["problems"]}
    )
    ran = desk.run("ship", "--correct", silent, "--number", "YT1", *WHY)
    assert ran.code == 2
    assert "only what was told can be corrected" in ran.one_message()
    told = rows_of(desk, "shopify")
    for words in (("--number", told["parcels"][0]["number"]), ("--number", "YT1", "--parcel", "2")):
        assert desk.run("ship", "--correct", told["shipment_id"], *words, *WHY).code == 2
    assert amends(desk) == []
    assert number


def test_a_dry_run_corrects_nothing(reopened: Callable[[Path], Desk], told: Path) -> None:
    desk = reopened(told)
    row = rows_of(desk, "taobao")
    words = ("--number", another(row["parcels"][0]["number"]), *WHY, "--dry-run")
    ran = desk.run("ship", "--correct", row["shipment_id"], *words)
    assert [r["kind"] for r in ran.rows] == ["platform.amend"]
    assert (amends(desk), journal(desk, "revision.opened")) == ([], [])


def test_a_telling_that_a_person_settled_can_be_corrected(
    reopened: Callable[[Path], Desk], printed: Path
) -> None:
    desk = reopened(printed)
    desk.sandbox.set_faults([["taobao.logistics.offline.send", list(range(1, 99)), "after_cut"]])
    assert desk.run(*SHIP).code == 4
    waiting = desk.run("ledger", "pending", "--json").rows
    key = next(w["key"] for w in waiting if w["kind"] == "platform.ship")
    ran = desk.run("ledger", "resolve", key, "--as", "done", "--reason", "seen in the back office")
    assert ran.code == 0, ran.err
    order, shipment = key.split("|")[1].split("/")
    row = next(r for r in desk.rows("printed.jsonl") if r["shipment_id"] == shipment)
    number = another(row["parcels"][0]["number"])
    ran = desk.run("ship", "--correct", order, "--number", number, *WHY)
    assert ran.code == 0, ran.err
    assert amends(desk) == [(order.split(":")[2], number)]


def test_several_parcels_are_told_and_one_of_them_corrected(
    reopened: Callable[[Path], Desk], printed: Path
) -> None:
    desk = reopened(printed)
    row = next(
        r
        for r in desk.rows("printed.jsonl")
        if r["parcels"][0]["number"] and [o["platform"] for o in r["orders"]] == ["shopify"]
    )
    first = row["parcels"][0]["number"]
    numbers = [first, another(first), another(another(first))]
    row["parcels"] = [{**row["parcels"][0], "parcel_no": i, "number": n} for i, n in enumerate(numbers, 1)]
    desk.path("one.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n")
    ran = desk.run("ship", "one.jsonl")
    assert ran.code == 0, ran.err
    assert [(s["parcel_no"], s["state"]) for s in ran.rows[0]["shipped"]] == [
        (1, "told"),
        (2, "told"),
        (3, "told"),
    ]
    assert "1 orders told" in ran.err

    words = ("ship", "--correct", row["shipment_id"], "--number", another(numbers[2]), *WHY)
    ran = desk.run(*words)
    assert ran.code == 2
    assert "--parcel" in ran.one_message()
    ran = desk.run(*words, "--parcel", "2")
    assert ran.code == 0, ran.err
    ran = desk.run("ship", "one.jsonl")
    assert [s["state"] for s in ran.rows[0]["shipped"]] == ["told", "corrected", "told"]


def test_refusals_are_told_apart_in_the_row(reopened: Callable[[Path], Desk], printed: Path) -> None:
    desk = reopened(printed)
    rows = [r for r in desk.rows("printed.jsonl") if r["parcels"][0]["number"]]
    row = next(r for r in rows if [o["platform"] for o in r["orders"]] == ["taobao"])
    row["parcels"][0]["number"] = "not-a-number"
    desk.path("one.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n")
    ran = desk.run("ship", "one.jsonl")
    assert ran.code == 3
    (found,) = [p for p in ran.rows[0]["problems"] if p["stage"] == "ship"]
    assert (found["code"], found["severity"]) == ("ship_bad_number", "block")
    shown = desk.run("explain", row["shipment_id"], "-", "--lang", "zh", stdin=ran.out)
    assert "平台不接受这个运单号；核对运单号和快递公司" in shown.out.decode()


def test_refused_credentials_wait_for_an_authorisation(
    reopened: Callable[[Path], Desk], printed: Path
) -> None:
    desk = reopened(printed)
    desk.sandbox.expire_tokens("tb-demo")
    ran = desk.run(*SHIP, "--offline")
    assert ran.code == 77, ran.err
    codes = {
        (p["code"], p["severity"])
        for r in desk.rows("shipped.jsonl")
        for p in r["problems"]
        if p["stage"] == "ship" and r["orders"][0]["platform"] == "taobao"
    }
    assert codes == {("ship_unauthorized", "wait")}
