"""Cursors, shops, tokens, numbers and the journal."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from orderctl.cli.facts import with_quota
from orderctl.model.effect import Outcome, State
from orderctl.model.errors import ConfigError, Refused
from orderctl.model.facts import Facts
from orderctl.ports.ledger import Ledger
from orderctl.stages.rules.sections.timetable import Limit
from tests.ledger.samples import LATER, NOW, buy, done, failed, opened, voided


def test_cursors_are_kept_per_shop_and_stream(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        assert ledger.cursor("s1", "orders") is None
        ledger.set_cursor("s1", "orders", "c1", NOW)
        ledger.set_cursor("s1", "refunds", "c2", NOW)
        ledger.set_cursor("s1", "orders", "c3", LATER)
        assert (ledger.cursor("s1", "orders"), ledger.cursor("s1", "refunds")) == ("c3", "c2")
        assert ledger.cursor("s2", "orders") is None


def test_a_shop_id_means_one_shop_for_ever(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.bind_shop("s1", "taobao", "100", NOW)
        ledger.bind_shop("s1", "taobao", "100", LATER)
        ledger.bind_shop("s2", "shopify", "100", NOW)
        for other in [
            ("s1", "taobao", "200"),
            ("s1", "shopify", "300"),
            ("s3", "taobao", "100"),
            ("s2", "taobao", "100"),
        ]:
            with pytest.raises(ConfigError, match="is bound to"):
                ledger.bind_shop(*other, LATER)
        assert ledger.journal()["subject"].to_list() == ["s1", "s2"]


# numbers


def take(ledger: Ledger, key: str, first: str = "SF0098", last: str = "SF0101") -> str:
    return ledger.take_number("local", first, last, key, NOW)


def test_a_key_keeps_its_number_and_a_number_its_key(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        assert [take(ledger, k) for k in ("a", "b", "a", "c", "d")] == [
            "SF0098",
            "SF0099",
            "SF0098",
            "SF0100",
            "SF0101",
        ]
        with pytest.raises(Refused, match="used up"):
            take(ledger, "e")
        assert take(ledger, "b") == "SF0099"
        assert ledger.take_number("other", "7", "9", "a", NOW) == "7"
        assert take(ledger, "e", "SF0200", "SF0299") == "SF0200"


def test_a_number_lives_and_dies_with_its_effect(tmp_path: Path) -> None:
    def states(ledger: Ledger) -> list[tuple[str, str]]:
        return ledger.numbers("local").select("number", "state").rows()

    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1"), buy("S2")], NOW)
        take(ledger, buy("S1").key)
        take(ledger, buy("S2").key)
        assert states(ledger) == [("SF0098", "reserved"), ("SF0099", "reserved")]
        ledger.settle(buy("S1"), done())
        ledger.settle(buy("S2"), failed())
        assert states(ledger) == [("SF0098", "used"), ("SF0099", "reserved")]
        ledger.settle(buy("S1"), voided())
        assert states(ledger) == [("SF0098", "void"), ("SF0099", "reserved")]
        assert take(ledger, "new") == "SF0100"
        assert ledger.numbers("none").is_empty()


@pytest.mark.parametrize(
    ("first", "last"), [("A1", "B9"), ("A9", "A1"), ("A1", "A10"), ("A", "B"), ("A1", "A9x"), ("", "")]
)
def test_two_ends_that_are_no_range(tmp_path: Path, first: str, last: str) -> None:
    with opened(tmp_path) as ledger, pytest.raises(ConfigError, match="is no range"):
        take(ledger, "a", first, last)


# tokens


def test_tokens_are_not_in_the_file_as_they_are(tmp_path: Path) -> None:
    secret = "access-of-sample-shop"
    with opened(tmp_path) as ledger:
        assert ledger.token("s1") is None
        ledger.save_token("s1", {"access": secret, "expires_at": LATER}, NOW)
        ledger.save_token("s1", {"access": secret + "-2"}, NOW)
        assert ledger.token("s1") == {"access": secret + "-2"}
    with opened(tmp_path, "r2") as ledger:
        assert ledger.token("s1") == {"access": secret + "-2"}
    for file in tmp_path.iterdir():
        if file.is_file():
            assert secret.encode() not in file.read_bytes()
            assert file.stat().st_mode & 0o077 == 0
    (tmp_path / "ledger.key").unlink()
    with opened(tmp_path, "r3") as ledger, pytest.raises(ConfigError, match="cannot be read with this key"):
        ledger.token("s1")


def test_the_key_may_be_given(tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    with Ledger.open(tmp_path / "ledger.db", run_id="r1", host="h", key=key) as ledger:
        ledger.save_token("s1", {"access": "x"}, NOW)
        assert ledger.token("s1") == {"access": "x"}
    assert not (tmp_path / "ledger.key").exists()
    with (
        Ledger.open(tmp_path / "ledger.db", run_id="r2", host="h", key="short") as ledger,
        pytest.raises(ConfigError, match="ORDERCTL_KEY"),
    ):
        ledger.token("s1")


def test_a_key_file_others_can_read_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.save_token("s1", {"access": "x"}, NOW)
    (tmp_path / "ledger.key").chmod(0o644)
    with opened(tmp_path, "r2") as ledger, pytest.raises(ConfigError, match="read by others"):
        ledger.token("s1")


def test_the_key_of_hashes_stays_and_is_not_the_key_of_tokens(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        key = ledger.identity_key()
    with opened(tmp_path, "r2") as ledger:
        assert ledger.identity_key() == key
    assert len(key) == 32
    assert key not in (tmp_path / "ledger.key").read_bytes()
    with opened(tmp_path / "other") as ledger:
        assert ledger.identity_key() != key


# journal


def test_events_are_kept_in_order_and_cannot_be_changed(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.note("fetch.done", NOW, subject="s1", orders=3)
        ledger.note("order.held", LATER, order_id="o:1", kind="hold", why="risk")
        assert ledger.journal().rows()[0][1:] == (NOW, "r1", "fetch.done", None, "s1", None, '{"orders": 3}')
        assert ledger.journal(LATER)["event"].to_list() == ["order.held"]
        assert ledger.journal(order_id="o:1")["event"].to_list() == ["order.held"]
        with sqlite3.connect(tmp_path / "ledger.db") as other:
            for sql in ("DELETE FROM journal", "UPDATE journal SET at = ''"):
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    other.execute(sql)
        other.close()


def test_the_journal_takes_nothing_that_names_a_person(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        with pytest.raises(ValueError, match="phone"):
            ledger.note("order.held", NOW, phone="13800000001")
        assert ledger.journal().is_empty()


def test_events_of_a_single_order_name_it(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.begin([buy("S1", ("o:1", 1, 1)), buy("S2", ("o:2", 1, 1), ("o:3", 1, 1))], NOW)
        assert ledger.journal()["order_id"].to_list() == ["o:1", None]


def test_parcels_that_got_their_numbers_are_counted_by_account(tmp_path: Path) -> None:
    bound = {"courier": "YTO", "account": "y", "warehouse": "hz"}

    def bought(ledger: Ledger, name: str, parcels: int, at: str = NOW, **other: str) -> None:
        effect = buy(name, (f"o-{name}", 1, 1), **(bound | other))
        ledger.begin([effect], at)
        ledger.settle(effect, Outcome(State.DONE, {"parcels": [{}] * parcels}, None, at))

    with opened(tmp_path) as ledger:
        bought(ledger, "a", 1)
        bought(ledger, "b", 3)
        bought(ledger, "c", 1, account="x")
        bought(ledger, "d", 1, at="2026-11-10T08:00:00Z")
        open_one = buy("e", ("o-e", 1, 1), **bound)
        ledger.begin([open_one], LATER)
        gone = buy("f", ("o-f", 1, 1), **bound)
        ledger.begin([gone], LATER)
        ledger.settle(gone, failed())
        found = ledger.bought("2026-11-11T00:00:00Z", "2026-11-12T00:00:00Z")
    assert found.rows() == [("YTO", "x", "hz", 1), ("YTO", "y", "hz", 5)]


def test_a_day_is_that_of_the_rules_and_is_counted_only_where_it_matters(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        effect = buy("a", ("o", 1, 1), courier="YTO", account="y", warehouse="hz")
        ledger.begin([effect], "2026-11-10T16:00:00Z")  # midnight in Shanghai
        limit = Limit(courier="YTO", parcels=5)

        def counted(limits: list[Limit], zone: str) -> int:
            return with_quota(Facts(), limits, ledger, NOW, zone).quota_used.height

        assert counted([limit], "Asia/Shanghai") == 1
        assert counted([limit], "UTC") == 0, "that was yesterday there"
        assert counted([Limit(courier="YTO", cut_off="17:30")], "Asia/Shanghai") == 0
