"""Laws of reading notes."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from orderctl.model.errors import ConfigError
from orderctl.model.facts import Facts
from orderctl.model.schema import ORDER
from orderctl.stages.normalize import NormalizeRules, normalize
from orderctl.stages.normalizing.notes import NoteReader, read_notes
from orderctl.stages.rules.parse import parse
from orderctl.stages.rules.sections.notes import NoteRule, NotesSection
from tests.notes.score import PLACED, ROOT, corpus, told
from tests.stages.samples import codes, only, order, orders

NOW = "2026-11-25T00:00:00Z"
READER = parse((ROOT / "rules.example.yaml").read_text("utf-8")).notes
COLUMNS = ("buyer_note", "seller_note", "placed_at", "wishes", "tags")


def batch(*notes: tuple[str | None, str | None], **given: Any) -> pl.DataFrame:
    usual = {"placed_at": PLACED, "wishes": [], "tags": []} | given
    rows = [{"buyer_note": buyer, "seller_note": seller} | usual for buyer, seller in notes]
    return pl.DataFrame(rows, {name: ORDER[name] for name in COLUMNS})


def wishes(
    buyer: str | None, seller: str | None = None, reader: NoteReader = READER, **given: Any
) -> list[str]:
    return [told(w) for w in only(read_notes(batch((buyer, seller), **given), reader))["wishes"]]


def of(*rules: NoteRule, **section: Any) -> NoteReader:
    return NoteReader(NotesSection(wishes=list(rules), **section))


def test_notes_are_read_and_stay_as_they_are() -> None:
    note = "不要发圆通\r\n\x1b[31m发顺丰\x1b[0m"
    row = only(normalize(orders(order(buyer_note=note)), NormalizeRules(notes=READER), Facts(), NOW))
    assert row["buyer_note"] == note
    assert [told(wish) for wish in row["wishes"]] == ["not courier YTO", "courier SF"]


def test_every_wish_carries_the_words_and_whose_they_are() -> None:
    found = only(read_notes(batch(("送人的，不要发圆通", "发中通")), READER))["wishes"]
    assert [(told(w), w["source"], w["evidence"]) for w in found] == [
        ("gift", "buyer_note", "送人的"),
        ("not courier YTO", "buyer_note", "不要发圆通"),
        ("courier ZTO", "seller_note", "中通"),
    ]


def test_evidence_stands_in_the_note() -> None:
    plain = [
        (source, note)
        for source, note, _ in corpus()
        if note.isprintable() and note.isascii() | all(c not in note for c in "ＳＦ")
    ]
    rows = [(note, None) if source == "buyer_note" else (None, note) for source, note in plain]
    read = read_notes(batch(*rows), READER)["wishes"]
    assert len(plain) > 400
    for (_, note), wishes in zip(plain, read, strict=True):
        assert all(wish["evidence"] in note for wish in wishes)


def test_nothing_that_steers_a_terminal_gets_into_wishes_and_tags() -> None:
    dice = random.Random(3)
    nasty = ["\x1b[2J", "\x00", "\u202e", "\u200b", "\r", "\n", "\x9b31m", "\ufeff", "\x07"]
    notes = [
        ("".join(c + (dice.choice(nasty) if dice.random() < 0.3 else "") for c in note), None)
        for _, note, _ in corpus()
    ]
    found = read_notes(batch(*notes), READER)
    texts = [
        t
        for row in found["wishes"].to_list()
        for w in row
        for t in (w["value"], w["evidence"])
        if t is not None
    ]
    assert len(texts) > 200
    assert [text for text in texts if not text.isprintable()] == []
    assert set(found["tags"].explode().drop_nulls()) <= {tag for r in READER.section.wishes for tag in r.tags}


def test_reading_twice_is_reading_once() -> None:
    rows = [order(str(n), buyer_note=note, placed_at=PLACED) for n, (_, note, _) in enumerate(corpus())]
    rules = NormalizeRules(notes=READER)
    once = normalize(orders(*rows), rules, Facts(), NOW)
    assert_frame_equal(normalize(once, rules, Facts(), NOW), once)
    assert_frame_equal(
        normalize(once, rules, Facts(), "2027-03-01T00:00:00Z").select("wishes"), once.select("wishes")
    )


def test_each_note_is_read_by_itself_whatever_stands_around_it() -> None:
    notes = [(note, None) for _, note, _ in corpus()]
    shuffled = random.Random(5).sample(notes, len(notes))
    alone = dict(zip(notes, read_notes(batch(*notes), READER).to_dicts(), strict=True))
    for note, row in zip(shuffled, read_notes(batch(*shuffled), READER).to_dicts(), strict=True):
        assert row == alone[note]
    for note in notes[::40]:
        assert only(read_notes(batch(note), READER)) == alone[note]


def test_wishes_of_options_stay_and_stale_ones_of_notes_go() -> None:
    given = [
        {"kind": "service", "value": "fast", "avoid": False, "source": "option", "evidence": "fast"},
        {"kind": "courier", "value": "YTO", "avoid": False, "source": "buyer_note", "evidence": "圆通"},
    ]
    assert wishes("发顺丰", wishes=given) == ["service fast", "courier SF"]
    assert wishes(None, wishes=given) == ["service fast"]


def test_tags_are_added_to_what_is_there() -> None:
    rule = NoteRule(tags=["gift", "vip"], words=["送人"])
    given = batch(("送人", None), ("不要送人", None), tags=["vip", "old"])
    assert read_notes(given, of(rule))["tags"].to_list() == [["vip", "old", "gift"], ["vip", "old"]]


def test_nobody_wrote_anything() -> None:
    given = batch((None, None), ("", None), ("   ", "\x00"))
    found = read_notes(given, READER)
    assert found["wishes"].to_list() == [[], [], []]
    assert read_notes(given.clear(), READER).height == 0
    assert read_notes(batch(("发顺丰", None)), of())["wishes"].to_list() == [[]]


@pytest.mark.parametrize(
    ("buyer", "seller", "conflict"),
    [
        ("发顺丰", "发中通", "courier SF (buyer_note), ZTO (seller_note)"),
        ("发顺丰", "不发顺丰", "courier SF (buyer_note), not (seller_note)"),
        ("12月5日发", "12月8日发", "ship_on 2026-12-05 (buyer_note), 2026-12-08 (seller_note)"),
        ("发顺丰", "发顺丰", None),
        ("发顺丰或中通", "发中通", None),
        ("不要发圆通", "发顺丰", None),
        ("放门口", "放驿站", None),
    ],
)
def test_contradictions_are_seen_and_both_words_kept(buyer: str, seller: str, conflict: str | None) -> None:
    found = only(read_notes(batch((buyer, seller)), READER))
    assert found["conflict"] == conflict
    assert {wish["source"] for wish in found["wishes"]} == {"buyer_note", "seller_note"}
    row = only(
        normalize(
            orders(order(buyer_note=buyer, seller_note=seller, placed_at=PLACED)),
            NormalizeRules(notes=READER),
            Facts(),
            NOW,
        )
    )
    assert codes(row).get("wishes_conflict") == (None if conflict is None else "warn")


def test_a_latin_word_stands_alone_and_takes_no_heed_of_case() -> None:
    reader = of(NoteRule(wish="courier", value="UPS", words=["UPS"]))
    assert wishes("cups, upset, groups, UPS2 and 3ups", reader=reader) == []
    assert wishes("寄ups谢谢", reader=reader) == ["courier UPS"]


def test_a_word_of_two_rules_gives_both() -> None:
    reader = of(
        NoteRule(wish="gift", words=["送人"], tags=["gift"]),
        NoteRule(wish="packaging", value="gift", words=["送人"]),
    )
    assert wishes("送人", reader=reader) == ["gift", "packaging gift"]
    assert wishes("不要送人", reader=reader) == ["not gift", "not packaging gift"]


def test_a_rule_can_be_for_one_side_only() -> None:
    reader = of(NoteRule(wish="resend", words=["补发"], of="seller"))
    assert (wishes("补发", reader=reader), wishes(None, "补发", reader=reader)) == ([], ["resend"])


def test_longer_words_hide_shorter_ones() -> None:
    reader = of(NoteRule(wish="courier", value="SF", words=["顺丰"], but=["顺丰路"]))
    assert wishes("顺丰路1号", reader=reader) == []
    assert wishes("顺丰路1号，发顺丰", reader=reader) == ["courier SF"]


def test_what_a_pattern_has_read_no_word_reads_again() -> None:
    assert wishes("写卡片：发顺丰，不要圆通") == ["card 发顺丰，不要圆通"]


def test_five_hundred_words_read_what_one_reads() -> None:
    pairs = [chr(0x4E00 + n * 7) + chr(0x6E00 + n * 5) for n in range(500)]
    rules = [NoteRule(wish="word", value=str(n), words=[word]) for n, word in enumerate(pairs)]
    reader = of(*rules)
    for n in (0, 250, 499):
        assert (
            wishes(f"请{pairs[n]}", reader=reader) == [f"word {n}"] == wishes(pairs[n], reader=of(rules[n]))
        )


def test_days_of_no_calendar_are_none_and_days_without_an_order_date_cannot_be_told() -> None:
    assert wishes("2月30日发货") == []
    assert wishes("2027年2月28日发货", placed_at=None) == ["ship_on 2027-02-28"]
    assert wishes("2月28日发货", placed_at=None) == []


def test_days_are_told_in_the_zone_of_the_rules() -> None:
    late = "2026-11-24T17:00:00Z"  # the 25th in Shanghai
    assert wishes("明天发货", placed_at=late) == ["ship_on 2026-11-26"]
    assert wishes("明天发货", placed_at=late, reader=NoteReader(READER.section, "UTC")) == [
        "ship_on 2026-11-25"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{wish: courier}", "names neither words nor patterns"),
        ("{words: [顺丰]}", "gives neither a wish nor tags"),
        ("{wish: Courier, words: [顺丰]}", "must have the form"),
        ("{wish: card, patterns: ['(']}", "not a regular expression"),
        ("{wish: card, patterns: ['x*']}", "it would match everywhere"),
        ("{wish: card, words: [' ']}", "characters that can be seen"),
        ('{wish: card, tags: ["a\\u202eb"], words: [x]}', "characters that can be seen"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=r"rules\.yaml:3:") as caught:
        parse(f"notes:\n  wishes:\n    - {text}\n")
    assert said in str(caught.value)
