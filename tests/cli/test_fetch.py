"""What fetch hands on, and when again: nothing is lost, whatever becomes of the output, and nothing comes twice."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from orderctl.ports.ledger import Ledger
from tests.cli.desk import KEY, QUARTER, Desk, Ran, opened


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk that has fetched everything once; what it got is in raw.jsonl."""
    with opened(tmp_path_factory.mktemp("fetch") / "desk") as desk:
        assert desk.run("fetch", "-o", "raw.jsonl").code == 0
        yield desk


@pytest.fixture
def again(fetched: Desk) -> Iterator[Desk]:
    """The same desk a quarter of an hour later, up to date: only what a test does is new."""
    fetched.clock.at += QUARTER
    assert fetched.run("fetch", "-o", "late.jsonl").code == 0
    yield fetched


def refs(ran: Ran) -> list[str]:
    return [f"{row['shop']}:{row['platform_ref']}" for row in ran.rows]


def fetch(desk: Desk, *words: str, code: int = 0) -> list[str]:
    ran = desk.run("fetch", *words)
    assert ran.code == code, ran.err
    return refs(ran)


def first_of(desk: Desk, shop: str = "tb-demo") -> str:
    return next(row["platform_ref"] for row in desk.rows("raw.jsonl") if row["shop"] == shop)


def test_shop_by_shop_oldest_change_first(fetched: Desk) -> None:
    rows = fetched.rows("raw.jsonl")
    shops = list(yaml.safe_load(fetched.path("orderctl.yaml").read_text("utf-8"))["shops"])
    keys = [(shops.index(row["shop"]), row["updated_at"], row["platform_ref"]) for row in rows]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys) == 20


def test_only_what_changed(again: Desk) -> None:
    assert fetch(again) == []
    again.sandbox.touch(first_of(again), memo="样例备注")
    again.sandbox.touch(first_of(again, "sf-demo"), memo="sample")
    again.clock.at += QUARTER
    both = {f"tb-demo:{first_of(again)}", f"sf-demo:{first_of(again, 'sf-demo')}"}
    assert fetch(again, "--shop", "sf-demo") == [f"sf-demo:{first_of(again, 'sf-demo')}"]
    assert set(fetch(again, "--shop", "all")) == both - {f"sf-demo:{first_of(again, 'sf-demo')}"}
    assert fetch(again) == []


@pytest.mark.parametrize("how", ["full", "closed", "folder"])
def test_what_was_not_taken_comes_again(again: Desk, how: str) -> None:
    again.sandbox.touch(first_of(again), memo=f"样例备注 {how}")
    again.clock.at += QUARTER
    if how == "full":
        with Path("/dev/full").open("wb") as full:
            assert again.run("fetch", stdout=full).code == 74
    elif how == "closed":
        assert again.shell("orderctl fetch | true; exit ${PIPESTATUS[0]}").code in (0, 141)
    else:
        assert again.run("fetch", "-o", "no/such/folder/raw.jsonl").code == 73
    expected = [f"tb-demo:{first_of(again)}"]
    assert fetch(again) in ([expected, []] if how == "closed" else [expected])  # little may fit into the pipe
    assert fetch(again) == []


def test_a_look_back_disturbs_nothing(again: Desk) -> None:
    there = len(fetch(again, "--since", "2026-11-10T00:00:00Z"))
    again.sandbox.add_orders(2, shop="tb-demo")
    again.clock.at += QUARTER
    cursors = cursors_of(again)
    looks = [
        ("--since", "2026-11-10T00:00:00Z"),
        ("--until", str(again.clock)),
        ("--by", "created"),
        ("--shop", "tb-demo", "--order", first_of(again)),
    ]
    seen = [fetch(again, *words) for words in looks]
    assert [len(set(found)) == len(found) for found in seen] == [True] * 4
    assert len(seen[0]) == there + 2
    assert seen[3] == [f"tb-demo:{first_of(again)}"]
    assert cursors_of(again) == cursors
    assert len(fetch(again)) == 2  # although a look back saw them first
    assert cursors_of(again) != cursors
    assert fetch(again) == []


def cursors_of(desk: Desk) -> list[str | None]:
    with Ledger.open(
        desk.path("state") / "ledger.db", run_id=f"look-{desk.clock.at}", host="h", key=KEY
    ) as ledger:
        found = [ledger.cursor(shop, "orders") for shop in ("tb-demo", "sf-demo", "sf-cny")]
    shutil.rmtree(desk.path("state") / "runs", ignore_errors=True)
    return found


def test_an_order_that_is_not_there(again: Desk) -> None:
    ran = again.run("fetch", "--shop", "tb-demo", "--order", "4099999999999999999")
    assert (ran.code, ran.rows) == (3, [])
    assert "there is no order 4099999999999999999" in ran.err


def test_open_orders_come_with_them(again: Desk) -> None:
    waiting = fetch(again, "--open")
    assert len(waiting) > 5
    assert len(set(waiting)) == len(waiting)
    assert fetch(again) == []
    again.sandbox.touch(first_of(again), status="TRADE_CLOSED")
    again.clock.at += QUARTER
    now = fetch(again, "--open")
    assert {*waiting, f"tb-demo:{first_of(again)}"} == set(now)
    assert fetch(again, "--open") == [name for name in waiting if name != f"tb-demo:{first_of(again)}"]


def test_a_late_order_for_the_same_recipient_is_told(again: Desk) -> None:
    """Only the platform can say so: all open orders of the place are asked about together, and only there."""
    known = {f"{row['shop']}:{row['platform_ref']}": row for row in again.run("fetch", "--open").rows}
    model = next(row for name, row in known.items() if row["shop"] == "tb-demo" and row["facts"])
    (late,) = again.sandbox.add_orders(1, same_recipient_as=model["platform_ref"])
    again.clock.at += QUARTER
    came = again.run("fetch").rows
    assert [row["platform_ref"] for row in came] == [late.ref]
    opened = {row["platform_ref"]: row["facts"] for row in again.run("fetch", "--open").rows}
    assert opened[late.ref] == opened[model["platform_ref"]] == came[0]["facts"] != None  # noqa: E711
    calls_before = counted(again)
    assert fetch(again) == []
    assert counted(again) == calls_before  # nothing is new anywhere: no question


def counted(desk: Desk) -> int:
    """How often the platform was asked who shares a recipient."""
    return desk.sandbox._faults._calls["taobao.top.oaid.merge"]


def test_two_at_once_double_nothing(again: Desk) -> None:
    again.sandbox.touch(first_of(again), memo="样例备注 zwei")
    again.clock.at += QUARTER
    again.sandbox.set_faults([{"on": "/taobao*", "nth": list(range(1, 4)), "fault": "slow", "seconds": 1.0}])
    runs = [again.start("fetch", "--shop", "tb-demo") for _ in range(3)]
    ended = [run.communicate(timeout=60) for run in runs]
    again.sandbox.set_faults(None)
    lines = [json.loads(line)["platform_ref"] for out, _ in ended for line in out.splitlines()]
    assert lines == [first_of(again)]
    assert {run.returncode for run in runs} <= {0, 75}
    for run, (_, err) in zip(runs, ended, strict=True):
        assert (b"another fetch" in err) == (run.returncode == 75)
    assert fetch(again) == []


def test_a_failing_shop_keeps_what_came_before(again: Desk) -> None:
    for shop in ("tb-demo", "sf-demo"):
        again.sandbox.touch(first_of(again, shop), memo="样例备注 drei")
    again.clock.at += QUARTER
    found = yaml.safe_load(again.path("orderctl.yaml").read_text("utf-8"))
    found["shops"]["tb-demo"]["settings"]["app_secret"] = "another"
    again.configure(shops=found["shops"])
    assert fetch(again, code=77) == [f"sf-demo:{first_of(again, 'sf-demo')}"]
    again.configure()
    assert fetch(again) == [f"tb-demo:{first_of(again)}"]


# messages of platforms

SECRET = "sample-webhook-secret"


def webhook(body: bytes, *, secret: str = SECRET, topic: str = "orders/updated") -> dict[str, Any]:
    signed = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    headers = {"X-Shopify-Topic": topic, "X-Shopify-Hmac-Sha256": signed}
    return {"shop": "sf-demo", "headers": headers, "body": body.decode()}


@pytest.fixture
def pushed(again: Desk) -> Iterator[Desk]:
    found = yaml.safe_load(again.path("orderctl.yaml").read_text("utf-8"))
    found["shops"]["sf-demo"]["settings"]["webhook_secret"] = SECRET
    again.configure(shops=found["shops"])
    yield again
    again.configure()


def test_messages_become_the_orders_they_name(pushed: Desk) -> None:
    ref = first_of(pushed, "sf-demo")
    good = webhook(json.dumps({"id": int(ref), "note": "样例"}, ensure_ascii=False).encode())
    packed = {**good, "body_base64": base64.b64encode(good["body"].encode()).decode()}
    del packed["body"]
    forged = webhook(json.dumps({"id": int(ref)}).encode(), secret="another")
    lines = [
        good,
        packed,
        forged,
        {**good, "shop": "nowhere"},
        {**good, "shop": "tb-demo"},
        {"shop": "sf-demo"},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines) + "\nno json\n"
    pushed.path("events.jsonl").write_text(text, "utf-8")
    cursors = cursors_of(pushed)
    ran = pushed.run("fetch", "--events", "events.jsonl", "--rejects", "bad.jsonl")
    assert (ran.code, refs(ran)) == (3, [f"sf-demo:{ref}"])
    assert ran.rows[0]["payload"]["id"].endswith(f"/{ref}")  # the order as it is now, not the message
    assert [row["line"] for row in pushed.rows("bad.jsonl")] == [3, 4, 5, 6, 8]
    assert cursors_of(pushed) == cursors
    pushed.path("bad.jsonl").unlink()
    ran = pushed.run("fetch", "--events", "-", stdin=json.dumps(good).encode())
    assert (ran.code, refs(ran)) == (0, [f"sf-demo:{ref}"])


def test_what_holds_no_messages(pushed: Desk) -> None:
    assert pushed.run("fetch", "--events", "-", stdin=b"").code == 0
    assert pushed.run("fetch", "--events", "raw.jsonl").code == 65
    assert pushed.run("fetch", "--events", "missing.jsonl").code == 66
    assert pushed.run("fetch", "--events", "raw.jsonl", "--since", "2026-11-01T00:00:00Z").code == 2
