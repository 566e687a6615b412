"""What is printed of waves: their order, their places and slots, one of them alone."""

from __future__ import annotations

import pytest
from pypdfium2 import PdfDocument

from orderctl.cli.printing import in_walk_order
from orderctl.model.errors import UsageError
from orderctl.stages.documents import render_labels, render_picklist, to_label
from orderctl.stages.plans.prints import fold_print, in_wave
from tests.stages.waves.shop import book, many, waved

DONE = {"device": "d", "at": "2026-11-24T02:00:00Z", "confirmed": "completed", "page": 9}


def test_one_wave_is_printed_alone_in_its_sequence_and_an_unknown_one_is_told() -> None:
    rows = waved(many(2))
    wave = next(row["wave"] for row in rows if row["wave"])
    chosen = in_walk_order(rows, wave)
    assert {row["wave"] for row in chosen} == {wave}
    assert [row["sequence"] for row in chosen] == list(range(1, len(chosen) + 1))
    with pytest.raises(UsageError, match="nope"):
        in_walk_order(rows, "nope")


def test_a_print_gives_the_place_of_the_page_only_to_what_is_in_no_wave() -> None:
    rows = waved(many(2))
    of_wave = next(row for row in rows if row["wave"])
    alone = next(row for row in rows if row["wave"] is None)
    place = of_wave["sequence"]
    for row in (of_wave, alone):
        fold_print(row, 1, "label", 1, DONE)
    assert (of_wave["sequence"], alone["sequence"]) == (place, 9)


def test_label_and_list_show_the_slot_and_the_list_follows_the_walk() -> None:
    rules = book()
    rows = [row for row in in_walk_order(waved(many(2)), None) if row["wave"]]
    wave = next(row["wave"] for row in rows if (told := in_wave(row)) and told.position == "B1")
    members = [row for row in rows if row["wave"] == wave]
    shelves = rules.shelves()
    labels = []
    for row in members:
        place = in_wave(row)
        assert place is not None
        row["orders"][0]["platform_ref"] = "1"
        labels.append(
            to_label(
                row, sender={}, sequence=place.sequence, total=place.total, position=place.position,
                locations=shelves.of(row["warehouse"]),
            )
        )  # fmt: skip
    assert "格B1" in text(render_labels(labels).content) and wave in text(render_labels(labels).content)
    listed = text(render_picklist(labels, stops=shelves.stops).content)
    assert "播种墙格位" in listed
    codes = {item["location"] for label in labels for item in label["items"]}
    walk = shelves.stops(members[0]["warehouse"], codes)
    places = [listed.index(code + "SKU") for code in sorted(codes, key=lambda code: walk[code])]
    assert places == sorted(places)


def text(pdf: bytes) -> str:
    document = PdfDocument(pdf)
    try:
        return "".join(page.get_textpage().get_text_range() for page in document).translate(
            {ord(c): None for c in " \r\n\u200b"}
        )
    finally:
        document.close()
