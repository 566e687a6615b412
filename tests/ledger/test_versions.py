"""Order versions: the newest wins; what the stream of changes has read is handed on, once for each change."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from orderctl.model.errors import ConfigError
from orderctl.model.schema import RAW, conform
from orderctl.ports.ledger import Ledger
from orderctl.ports.ledger.versions import Looked, Row
from tests.ledger.samples import NOW, buy, opened

INSTANTS = ["2026-11-11T08:00:00Z", "2026-11-11T08:00:01Z"]


def raw(rows: list[dict[str, object]]) -> pl.DataFrame:
    whole = [
        {"platform": "p", "shop": "s", "format": "p/order", "observed_at": NOW, "payload": "{}", **r}
        for r in rows
    ]
    names = {"platform", "shop", "platform_ref", "format", "observed_at", "updated_at", "payload", "parts"}
    return conform(pl.DataFrame(whole, schema=dict.fromkeys(sorted(names), pl.String)), "raw/1")


VERSIONS = st.lists(
    st.fixed_dictionaries(
        {
            "platform_ref": st.sampled_from(["1", "2"]),
            "updated_at": st.sampled_from([None, *INSTANTS]),
            "observed_at": st.sampled_from(INSTANTS),
            "payload": st.sampled_from(['{"a":1}', '{"a":2}', '{"备注":"\\u0000 é\\n"}']),
            "parts": st.sampled_from([None, "{}"]),
        }
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40)
@given(VERSIONS, st.data())
def test_the_newest_version_wins_whatever_the_order_of_saving(
    rows: list[dict[str, object]], data: st.DataObject
) -> None:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        kept = []
        for place, order in enumerate([rows, data.draw(st.permutations(rows)), rows + rows]):
            with Ledger.open(Path(folder) / f"{place}.db", run_id="r", host="h") as ledger:
                cut = data.draw(st.integers(0, len(order)))
                ledger.save_versions(raw(order[:cut]))
                ledger.save_versions(raw(order[cut:]))
                assert ledger.save_versions(raw(order)) == 0
                kept.append(ledger.newest_versions())
    assert kept[0].equals(kept[1])
    assert kept[0].equals(kept[2])
    for found in kept[0].iter_rows(named=True):
        versions = [r for r in rows if r["platform_ref"] == found["platform_ref"]]
        key = max((str(r["updated_at"] or ""), str(r["observed_at"])) for r in versions)
        assert (found["updated_at"] or "", found["observed_at"]) == key
        assert {c: found[c] for c in versions[0]} in versions


def test_a_version_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    frame = raw(
        [{"platform_ref": "2", "payload": '{"买家留言": "a\\tb"}'}, {"platform_ref": "1", "parts": "{}"}]
    )
    with opened(tmp_path) as ledger:
        assert ledger.newest_versions().schema == RAW
        assert ledger.save_versions(frame) == 2
        assert ledger.newest_versions().equals(frame.sort("platform_ref"))
        assert ledger.newest_versions(["p:s:2", "p:s:9"]).equals(frame.head(1))
        assert ledger.newest_versions([]).is_empty()
        assert ledger.save_versions(frame.clear()) == 0


# what is handed on

SHOP = "p:s"
STREAM = ("s", "orders")


def row(ref: str, minute: int | None, payload: str = "{}", shop: str = "s", **more: str) -> Row:
    changed = None if minute is None else f"2026-11-11T08:{minute:02}:00Z"
    fixed = {"schema": "raw/1", "format": "p/order", "source": None, "parts": None, "facts": None}
    return {
        **fixed,
        "platform": "p",
        "shop": shop,
        "platform_ref": ref,
        "observed_at": NOW,
        "updated_at": changed,
        "payload": payload,
        **more,
    }


def handed(
    ledger: Ledger, *shops: str, stream: bool = True, arrives: bool = True, rows: int = 2
) -> list[tuple[str, str | None]]:
    """Hand on, in pieces of two; what does not arrive is not settled."""
    frames = list(ledger.handout(shops or [SHOP], stream=stream, rows=rows))
    assert all(0 < frame.height <= rows and frame.schema == RAW for frame in frames)
    if arrives and stream:
        ledger.settle_handout()
    return [pair for frame in frames for pair in frame.select("platform_ref", "updated_at").rows()]


def refs(found: list[tuple[str, str | None]]) -> list[str]:
    return [ref for ref, _ in found]


def test_what_arrived_comes_again_only_when_it_has_changed(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.save_page([row("2", 1), row("1", 2), row("3", 1)], NOW, stream=STREAM, cursor="c1")
        assert refs(handed(ledger, arrives=False)) == ["2", "3", "1"]
    with opened(tmp_path, "r2") as ledger:  # it did not arrive: it comes again
        assert (refs(handed(ledger)), ledger.cursor(*STREAM)) == (["2", "3", "1"], "c1")
        ledger.save_page([row("1", 2, observed_at="2026-11-11T09:30:00Z")], NOW, stream=STREAM)
        ledger.save_page([row("2", 1, '{"ciphertext":"another"}')], NOW, stream=STREAM)
        assert handed(ledger) == []
        ledger.save_page([row("2", 5)], NOW, stream=STREAM)
        assert handed(ledger) == [("2", "2026-11-11T08:05:00Z")]
        assert handed(ledger) == []


def test_without_a_time_of_change_the_content_tells(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        for payload, expected in [("{}", ["1"]), ("{}", []), ('{"a":1}', ["1"]), ('{"a":1}', [])]:
            later = f"2026-11-11T09:{len(payload):02}:00Z"
            ledger.save_page([row("1", None, payload, observed_at=later)], NOW, stream=STREAM)
            assert refs(handed(ledger)) == expected


def test_a_look_back_disturbs_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.save_page([row("1", 1)], NOW, stream=STREAM, cursor="c1")
        ledger.save_page([row("2", 2), row("1", 1)], NOW, stream=None, cursor="c9")
        assert refs(handed(ledger, stream=False)) == ["1", "2"]
        assert ledger.cursor(*STREAM) == "c1"
    with opened(tmp_path, "r2") as ledger:
        ledger.save_page([], NOW, stream=STREAM, cursor="c2")
        assert refs(handed(ledger)) == ["1"]
        ledger.save_page(
            [row("2", 2)], NOW, stream=STREAM, cursor="c3"
        )  # the stream meets what was seen before
        assert refs(handed(ledger)) == ["2"]
        ledger.save_versions(raw([{"platform_ref": "2", "updated_at": "2026-11-11T08:30:00Z"}]))
        ledger.save_page([row("2", 30)], NOW, stream=STREAM)
        assert refs(handed(ledger)) == ["2"]


def test_what_changes_while_it_is_handed_on_comes_again(tmp_path: Path) -> None:
    """A newer version that the stream has not read yet must not count as handed on."""
    with opened(tmp_path) as ledger, opened(tmp_path, "r2") as other:
        ledger.save_page([row("1", 1)], NOW, stream=STREAM)
        assert refs(handed(ledger, arrives=False)) == ["1"]
        other.save_page([row("1", 7)], NOW, stream=None)
        ledger.settle_handout()
        ledger.save_page([row("1", 7)], NOW, stream=STREAM)
        assert handed(ledger) == [("1", "2026-11-11T08:07:00Z")]


def test_shops_are_handed_on_one_after_another(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        for shop in ("t", "s"):
            ledger.save_page([row(f"{shop}1", 1, shop=shop)], NOW, stream=(shop, "orders"))
        assert refs(handed(ledger, "p:s", arrives=False)) == ["s1"]
        assert refs(handed(ledger, "p:t", "p:s")) == ["t1", "s1"]
        assert handed(ledger, "p:s", "p:t") == []


def test_a_page_is_kept_with_its_checkpoint_or_not_at_all(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        with pytest.raises(sqlite3.Error):
            ledger.save_page([row("1", 1)], NOW, stream=STREAM, cursor=object())  # type: ignore[arg-type]
        assert (ledger.newest_versions().height, ledger.cursor(*STREAM), handed(ledger)) == (0, None, [])


def test_one_run_has_the_stream_of_a_shop_until_it_ends(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from orderctl.ports.ledger import Ledger;"
        "l = Ledger.open(pathlib.Path(sys.argv[1]), run_id='r1', host='desk');"
        "print(l.take_turn('s/1')); sys.stdout.flush(); sys.stdin.read()"
    )
    one = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "ledger.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert one.stdout is not None
    assert one.stdout.readline() == b"True\n"
    with opened(tmp_path, "r2") as ledger:
        assert ledger.take_turn("s2")
        assert ledger.take_turn("s2")
        assert not ledger.take_turn("s/1")
        one.kill()
        one.communicate()
        assert ledger.take_turn("s/1")
    with opened(tmp_path, "r3") as ledger:
        assert ledger.take_turn("s/1")


class Stream(RuleBasedStateMachine):
    """Two runs, a stream and curious people, deaths at any moment: nothing read is lost, nothing comes twice."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.runs = 0
        self.world: dict[str, int] = {}
        self.read: dict[str, int] = {}
        self.arrived: dict[str, int] = {}
        self.ledger = self._open()

    def _open(self) -> Ledger:
        self.runs += 1
        return Ledger.open(self.folder / "ledger.db", run_id=f"r{self.runs}", host="h")

    @rule(ref=st.sampled_from("abc"), step=st.integers(0, 2))
    def change(self, ref: str, step: int) -> None:
        self.world[ref] = self.world.get(ref, 0) + step

    @rule(some=st.sets(st.sampled_from("abc")))
    def page_of_the_stream(self, some: set[str]) -> None:
        rows = [row(ref, self.world[ref]) for ref in sorted(some) if ref in self.world]
        self.ledger.save_page(rows, NOW, stream=STREAM, cursor="c")
        self.read.update({ref: self.world[ref] for ref in some if ref in self.world})

    @rule(ref=st.sampled_from("abc"), kept=st.booleans())
    def curious_look(self, ref: str, *, kept: bool) -> None:
        if ref not in self.world:
            return
        if kept:
            self.ledger.save_page([row(ref, self.world[ref])], NOW, stream=None)
            assert ref in refs(handed(self.ledger, stream=False))
        else:
            changed = row(ref, self.world[ref])["updated_at"]
            self.ledger.save_versions(raw([{"platform_ref": ref, "updated_at": changed}]))

    @rule(arrives=st.booleans(), data=st.data())
    def hand_on(self, data: st.DataObject, *, arrives: bool) -> None:
        with self._open() as run:
            found = handed(run, arrives=False)
            for ref in sorted(self.world):
                if data.draw(st.booleans()):  # changed and seen by others while it is on its way
                    self.world[ref] += 1
                    run.save_versions(
                        raw([{"platform_ref": ref, "updated_at": row(ref, self.world[ref])["updated_at"]}])
                    )
            if arrives:
                run.settle_handout()
        assert len(set(refs(found))) == len(found)
        for ref, changed in found:
            minute = int(str(changed)[14:16])
            assert minute > self.arrived.get(ref, -1), "twice"
            assert minute >= self.read[ref]
            if arrives:
                self.arrived[ref] = minute
        if arrives:
            assert {ref for ref in self.read if self.arrived.get(ref, -1) < self.read[ref]} == set(), "lost"

    @rule()
    def die(self) -> None:
        self.ledger.close()
        self.ledger = self._open()

    @invariant()
    def newest_is_kept(self) -> None:
        if hasattr(self, "ledger"):
            assert set(self.read) <= set(self.ledger.newest_versions()["platform_ref"])

    def teardown(self) -> None:
        self.ledger.close()
        shutil.rmtree(self.folder)


Stream.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestStream = Stream.TestCase


# open orders and their recipients


def test_open_orders_are_handed_on_when_wanted(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.save_page([row("1", 1), row("2", 2), row("3", 3)], NOW, stream=STREAM)
        handed(ledger)
        frame, hashes = ledger.unlooked(SHOP, 9)
        assert sorted(frame["platform_ref"]) == ["1", "2", "3"]
        found = {
            name: Looked(open=name != "p:s:2", place="x" if name == "p:s:1" else None) for name in hashes
        }
        ledger.note_looked(found, hashes)
        assert ledger.unlooked(SHOP, 9)[1] == {}
        ledger.want_open(SHOP, NOW)
        assert refs(handed(ledger)) == ["1", "3"]
        assert ledger.places(SHOP, NOW) == [("x", 1)]
        some, spot = ledger.at_places(SHOP, ["w", "x"], NOW, rows=1)
        assert some["platform_ref"].to_list() == ["1"]
        assert ledger.at_places(SHOP, ["w", "x"], NOW, after=spot, rows=1)[0].is_empty()
        assert ledger.places(SHOP, "2026-11-11T08:00:01Z") == []
    with opened(tmp_path, "r2") as ledger:
        ledger.want_open(SHOP, "2026-11-11T08:00:01Z")
        assert handed(ledger) == []
        ledger.save_facts(SHOP, ["1"], {})
        assert ledger.places(SHOP, NOW) == []  # no answer is not asked for twice
        assert ledger.newest_versions(["p:s:1"])["facts"].to_list() == [None]
        ledger.save_facts(SHOP, ["1"], {"1": '{"same_recipient":"k"}'})
        assert ledger.places(SHOP, NOW) == []
        ledger.save_page([row("1", 1, '{"ciphertext":"another"}')], NOW, stream=STREAM)
        assert ledger.newest_versions(["p:s:1"])["facts"].to_list() == ['{"same_recipient":"k"}']
        ledger.save_page([row("1", 4)], NOW, stream=STREAM)  # changed: the address may be another one
        assert ledger.newest_versions(["p:s:1"])["facts"].to_list() == [None]
        assert list(ledger.unlooked(SHOP, 9)[1]) == ["p:s:1"]


def test_what_was_replaced_meanwhile_is_looked_into_again(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.save_page([row("1", 1)], NOW, stream=STREAM)
        _, hashes = ledger.unlooked(SHOP, 9)
        ledger.save_page([row("1", 2, '{"status":"closed"}')], NOW, stream=STREAM)
        ledger.note_looked({"p:s:1": Looked(open=True, place=None)}, hashes)
        assert list(ledger.unlooked(SHOP, 9)[1]) == ["p:s:1"]


# from schema 1

OLD = Path(__file__).with_name("schema-1.sql")


def old_ledger(folder: Path, records: list[Row], broken: bytes | None = None) -> None:
    """Make a ledger as the program before this schema left it."""
    db = sqlite3.connect(folder / "ledger.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(OLD.read_text("utf-8"))
    for record in records:
        text = json.dumps({**record, "extra": None}, ensure_ascii=False)
        name = f"{record['platform']}:{record['shop']}:{record['platform_ref']}"
        packed = broken or zlib.compress(text.encode(), 1)
        db.execute("INSERT INTO version VALUES (?, ?, ?, 'h', ?)", (name, record["updated_at"], NOW, packed))
    db.execute("INSERT INTO cursor VALUES ('s', 'orders', 'c1', ?)", (NOW,))
    db.close()


def test_a_ledger_of_schema_1_is_taken_over(tmp_path: Path) -> None:
    records = [
        row(f"{number:05}", number % 60, '{"备注":"\\u0000 é"}', parts="{}") for number in range(1_003)
    ]
    random.Random(1).shuffle(records)
    old_ledger(tmp_path, records)
    with opened(tmp_path) as ledger:
        assert ledger.verify() == []
        kept = ledger.newest_versions()
        wanted = conform(pl.DataFrame(records).with_columns(extra=pl.lit(None, pl.String)), "raw/1")
        assert kept.equals(wanted.sort("platform_ref"))
        assert ledger.cursor(*STREAM) == "c1"
        assert handed(ledger) == []
        ledger.save_page([records[0]], NOW, stream=STREAM)
        assert refs(handed(ledger)) == [records[0]["platform_ref"]]
        ledger.begin([buy("S1")], NOW)
    db = sqlite3.connect(tmp_path / "ledger.db")
    assert db.execute("PRAGMA user_version").fetchone() == (4,)
    assert db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'version_1'").fetchone() == (0,)
    db.close()


def test_a_ledger_that_cannot_be_taken_over_stays_as_it_was(tmp_path: Path) -> None:
    old_ledger(tmp_path, [row("1", 1)], broken=b"no zlib")
    with pytest.raises(ConfigError, match="damaged"):
        Ledger.open(tmp_path / "ledger.db", run_id="r", host="h")
    db = sqlite3.connect(tmp_path / "ledger.db")
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    assert db.execute("SELECT record FROM version").fetchall() == [(b"no zlib",)]
    db.close()


# from schemas 2 and 3


@pytest.mark.parametrize("before", [2, 3])
def test_an_older_ledger_is_taken_over_and_its_orders_are_looked_into_again(
    tmp_path: Path, before: int
) -> None:
    db = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(Path(__file__).with_name(f"schema-{before}.sql").read_text("utf-8"))
    for number, is_open in enumerate((1, 0, None), 1):
        db.execute(
            "INSERT INTO version (id, order_id, shop, updated_at, observed_at, hash, due, handed, open, place) "
            "VALUES (?, ?, ?, ?, ?, 'h', 0, ?, ?, 'x')",
            (number, f"p:s:{number}", SHOP, NOW, NOW, NOW, is_open),
        )
        packed = zstandard.compress(b"{}")
        db.execute("INSERT INTO record VALUES (?, 'p/order', NULL, ?, NULL, NULL)", (number, packed))
    db.close()
    with opened(tmp_path) as ledger:
        assert ledger.verify() == []
        assert ledger.newest_versions()["platform_ref"].to_list() == ["1", "2", "3"]
        assert handed(ledger) == []
        assert sorted(ledger.unlooked(SHOP, 9)[1]) == ["p:s:1", "p:s:2", "p:s:3"]
        assert ledger.seen("2026-01-01T00:00:00Z", NOW).is_empty()
        assert ledger.history().is_empty()


# what is noticed over time


def noticed(ledger: Ledger, ref: str, **found: Any) -> None:
    _, hashes = ledger.unlooked(SHOP, 9)
    look = Looked(**{"open": True, "place": None, "recipient": "canonical:h:1", "notes": "n1"} | found)  # type: ignore[arg-type]
    ledger.note_looked({f"p:s:{ref}": look}, {f"p:s:{ref}": hashes[f"p:s:{ref}"]})


def test_the_past_of_a_buyer_is_what_was_paid_more_than_once(tmp_path: Path) -> None:
    past: dict[str, dict[str, Any]] = {
        "1": {"buyer": "a", "spent_minor": 500, "returned": 0},
        "2": {"buyer": "a", "spent_minor": 0, "returned": 1},
        "3": {"buyer": "a", "spent_minor": None, "returned": 1},
        "4": {"buyer": "b", "spent_minor": 900, "returned": 0},
        "5": {"buyer": None, "spent_minor": 900, "returned": 0},
    }
    with opened(tmp_path) as ledger:
        ledger.save_page([row(ref, 1) for ref in past], NOW, stream=STREAM)
        for ref, found in past.items():
            noticed(ledger, ref, placed_at=NOW, currency="CNY", **found)
        assert ledger.history().sort("spent_minor").rows() == [
            ("a", NOW, "CNY", 0, 1),
            ("a", NOW, "CNY", 500, 0),
        ]


def changes(ledger: Ledger) -> list[tuple[str | None, ...]]:
    seen = ledger.seen("2026-01-01T00:00:00Z", NOW)
    return seen.select("order_id", "notes_at", "recipient_at").sort("order_id").rows()


@pytest.mark.parametrize(
    ("found", "notes", "recipient"),
    [
        ({}, False, False),
        ({"notes": "n2"}, True, False),
        ({"notes": ""}, True, False),
        ({"recipient": "canonical:h:2"}, False, True),
        ({"recipient": "region:h:2"}, False, False),  # nothing that can be compared
        ({"recipient": None}, False, False),  # blanked by the platform
        ({"recipient": "canonical:h:2", "notes": "n2"}, True, True),
        ({"recipient": "canonical:h:2", "notes": "n2", "open": False}, None, None),  # nobody ships it
    ],
)
def test_what_changed_since_it_was_handed_on_is_noticed(
    tmp_path: Path, found: dict[str, str | None], notes: bool | None, recipient: bool | None
) -> None:
    later = "2026-11-11T09:00:00Z"
    with opened(tmp_path) as ledger:
        ledger.save_page([row("1", 1)], NOW, stream=STREAM)
        noticed(ledger, "1")
        handed(ledger)
        assert changes(ledger) == []
        ledger.save_page([{**row("1", 2, '{"a":2}'), "observed_at": later}], NOW, stream=STREAM)
        noticed(ledger, "1", **found)
        wanted = ("p:s:1", later if notes else None, later if recipient else None)
        assert changes(ledger) == ([wanted] if notes or recipient else [])
    if notes is None:
        return
    with opened(tmp_path, "r2") as ledger:  # it stays known, and what is as before is no change
        ledger.save_page([row("1", 3, '{"a":3}')], NOW, stream=STREAM)
        noticed(ledger, "1", **({"notes": "n1"} | found))
        assert [one for one in changes(ledger) if one[1] == later or one[2] == later] == (
            [wanted] if notes or recipient else []
        )


def test_who_has_not_seen_the_notes_before_is_told_of_no_change(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        ledger.save_page([row("1", 1)], NOW, stream=STREAM)
        noticed(ledger, "1")  # and the run dies before it hands on
        ledger.save_page([row("1", 2, '{"a":2}')], NOW, stream=STREAM)
        noticed(ledger, "1", notes="n2")
        assert changes(ledger) == []


def test_only_who_orders_often_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        for ref, buyer, recipient, placed_at in (
            ("1", "b1", "canonical:r1", "2026-11-10T00:00:00Z"),
            ("2", "b1", "canonical:r2", "2026-11-11T00:00:00Z"),
            ("3", "b2", "canonical:r2", "2026-11-11T00:00:00Z"),
            ("4", "b1", "region:r", "2026-10-01T00:00:00Z"),
            ("5", None, "region:r", "2026-11-11T00:00:00Z"),
        ):
            ledger.save_page([row(ref, 1)], NOW, stream=STREAM)
            noticed(ledger, ref, buyer=buyer, recipient=recipient, placed_at=placed_at)
        since = "2026-11-01T00:00:00Z"
        assert ledger.seen(since, NOW).is_empty()
        seen = ledger.seen(since, NOW, of_buyer=2, of_recipient=2).sort("order_id", "buyer")
        assert [(one["order_id"], one["buyer"], one["recipient"]) for one in seen.to_dicts()] == [
            ("p:s:1", "b1", None),
            ("p:s:2", None, "canonical:r2"),
            ("p:s:2", "b1", None),
            ("p:s:3", None, "canonical:r2"),
        ]
        assert ledger.seen(since, "2026-11-10T12:00:00Z", of_buyer=2).is_empty()
