"""No person's data and no secret in what is told: messages, JSON logs, the ledger, reports, lists of what waits."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.desk import Desk, opened

SECRETS = (
    "sandbox-taobao-secret", "sandbox-taobao-session", "shpat_sandbox", "sandbox-key", "sandbox-secret", "planted-secret",
)  # fmt: skip
STORES = ("version", "record", "token")  # orders as they came, and encrypted tokens, are what these are for


def people(desk: Desk) -> set[str]:
    """Everything that tells who somebody is or where they live, from what the platforms gave."""
    found: set[str] = set()
    for order in desk.rows("orders.jsonl"):
        to = order["recipient"]
        plain = [to["name"], to["phone"], to["email"], to["street"], to["company"], *to["address_lines"]]
        found |= {text for text in plain if text and "*" not in text and len(text) > 3}
        found |= {note for note in (order["buyer_note"], order["seller_note"]) if note and note.isprintable()}
        found |= {to["sealed"]["ref"]} if to["sealed"] else set()
    return found


@pytest.fixture(scope="module")
def told(routed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, dict[str, str]]]:
    """A desk after a bad day, and everything it told."""
    folder = tmp_path_factory.mktemp("told") / "desk"
    shutil.copytree(routed, folder)
    with opened(folder) as desk:
        said: dict[str, str] = {}

        def run(name: str, *words: str) -> None:
            forms = [("json", ("-vv", "--log-format", "json"))]
            if name in ("print", "ship"):  # what acts tells most
                forms.insert(0, ("text", ("-vv",)))
            for form, more in forms:
                ran = desk.run(*words, *more)
                said[f"{name} {form}"] = ran.err
                if form == "json":
                    assert all(json.loads(line) for line in ran.err.splitlines()), ran.err

        desk.sandbox.set_faults(
            [["*", [2, 5, 6, 7], "after_cut"], ["*", [3, 9], "5xx"], ["*", [4], "garbage"]]
        )
        run("fetch", "fetch", "--since", "2026-11-01T00:00:00Z", "-o", "raw2.jsonl")
        lines = desk.path("raw.jsonl").read_text("utf-8").splitlines()
        lines[0] = lines[0][:-40]  # a torn record, which is full of personal data
        lines[1] = lines[1].replace('"platform_ref":"', '"platform_ref":["', 1)
        desk.path("raw3.jsonl").write_text("\n".join(lines), "utf-8")
        run("normalize", "normalize", "raw3.jsonl", "-o", "orders3.jsonl")
        run("merge", "merge", "orders.jsonl", "-o", "shipments2.jsonl")
        run("route", "route", "shipments2.jsonl", "-o", "routed2.jsonl")
        run("print", "print", "routed.jsonl", "--device", "file:out", "-o", "printed.jsonl")
        run("ship", "ship", "printed.jsonl", "-o", "shipped.jsonl")
        for name, words in {
            "pending": "ledger pending", "pending json": "ledger pending --json", "config": "config show",
            "report": "report routed.jsonl", "problems": "report routed.jsonl --by problems", "view": "view routed.jsonl",
            "plan": "print routed.jsonl --device file:out --dry-run", "verify": "ledger verify",
        }.items():  # fmt: skip
            ran = desk.run(*words.split())
            said[name] = ran.err + ran.out.decode()
        shipment = next(row["shipment_id"] for row in desk.rows("shipped.jsonl") if row["printed"])
        said["ledger show"] = desk.run("ledger", "show", shipment, "--json").out.decode()
        wrong = desk.path("orderctl.yaml").read_text("utf-8").replace("shpat_sandbox", "planted-secret")
        desk.path("wrong.yaml").write_text(wrong, "utf-8")
        said["refused"] = desk.run("fetch", "-vv", env={"ORDERCTL_CONFIG": "wrong.yaml"}).err
        yield desk, said


def test_nothing_private_is_told(told: tuple[Desk, dict[str, str]]) -> None:
    desk, said = told
    names = people(desk)
    assert len(names) > 20
    assert "credentials refused" in said["refused"]
    assert "rejected" in said["normalize json"]
    for place, text in said.items():
        assert [s for s in SECRETS if s in text] == [], place
        # the list of orders is for whoever packs: it shows notes in full, names and streets in part
        allowed = {note for o in desk.rows("orders.jsonl") for note in (o["buyer_note"], o["seller_note"])}
        assert [n for n in names if n in text and not (place == "view" and n in allowed)] == [], place


def test_the_ledger_knows_orders_by_their_ids_only(told: tuple[Desk, dict[str, str]]) -> None:
    desk, _ = told
    database = sqlite3.connect(desk.path("state") / "ledger.db")
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert {"effect", "commitment", *STORES} <= set(tables)
    text = "\n".join(
        repr(row)
        for table in tables
        if table not in STORES
        for row in database.execute(f'SELECT * FROM "{table}"')
    )
    tokens = repr(database.execute("SELECT * FROM token").fetchall())
    database.close()
    assert [n for n in people(desk) if n in text] == []
    assert [s for s in SECRETS if s in text + tokens] == []


def test_what_holds_people_is_for_its_owner_alone(told: tuple[Desk, dict[str, str]]) -> None:
    desk, _ = told
    state = desk.path("state")
    assert state.stat().st_mode & 0o077 == 0
    rejects = list((state / "rejects").iterdir())
    assert rejects
    assert [f for f in rejects if f.stat().st_mode & 0o077] == []
