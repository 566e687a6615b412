"""Packing slips and pick lists: complete, numbered within themselves, sums right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderctl.model.errors import ConfigError, DataError
from orderctl.stages.documents import Label, read_barcodes, render_packing_slips, render_picklist
from orderctl.stages.documents.pages import page_sizes
from orderctl.stages.documents.slips import to_picks


def text_of(pdf: bytes) -> list[str]:
    """Give the text of each page without spaces, read by another program."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        pages = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    return ["".join(c for c in page if not c.isspace() and c != "\u200b") for page in pages]


@pytest.mark.parametrize("size", ["a5", "76x130", "100x150"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_parcel_begins_a_page_and_counts_its_own(
    size: str, language: Any, make: Callable[..., Label], make_line: Callable[..., dict[str, Any]]
) -> None:
    labels = [
        make("SF0000000000001"),
        make("SF0000000000002", lines=[make_line(i, quantity=i) for i in range(1, 71)]),
        make("SF0000000000003"),
    ]
    document = render_packing_slips(labels, size=size, language=language)
    pages = text_of(document.content)
    assert document.pages == len(pages) == len(page_sizes(document.content))
    found = [re.search(r"第(\d+)/(\d+)页|Page(\d+)of(\d+)", page) for page in pages]
    counted = [tuple(int(n) for n in match.groups() if n) for match in found if match]
    middle = document.pages - 2
    assert counted == [(1, 1), *((i, middle) for i in range(1, middle + 1)), (1, 1)]
    assert all(f"CUP-BLUE-{i:03d}" in "".join(pages[1:-1]) for i in range(1, 71))
    barcodes = [next((b for b in page if b.startswith("SF")), None) for page in read_barcodes(document)]
    assert [b for b in barcodes if b] == [label["number"] for label in labels]


def test_slips_follow_the_same_mask_and_tell_gifts_notes_and_parts(
    make: Callable[..., Label], make_line: Callable[..., dict[str, Any]]
) -> None:
    order = {"platform_ref": "R1", "part": 1, "parts": 2, "buyer_note": "#panic()", "seller_note": None}
    label = make(orders=[order], lines=[make_line(1, kind="gift", quantity=3)], sequence=7, total=9, copy=1)
    page = text_of(render_packing_slips([label]).content)[0]
    for word in (
        "配货单",
        "副本",
        "7/9",
        "R1(1/2)",
        "#panic()",
        "赠",
        "样**",
        "1******0001",
        "顺丰速运",
        "共3件",
    ):
        assert word in page
    assert "13800000001" not in page and "201室" not in page


def test_a_slip_for_a_supplied_label_and_one_without_a_number(make: Callable[..., Label]) -> None:
    about = {"kind": "supplied", "media_type": "application/pdf", "width_mm": 76, "height_mm": 130}
    labels = [make("SF0000000000001", parcel={"label": about}, supplied=b"%PDF"), make("")]
    assert render_packing_slips(labels).pages == 2


@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 5), st.integers(1, 9)), min_size=1, max_size=6),
        min_size=1,
        max_size=8,
    )
)
def test_a_pick_list_holds_every_piece_once(make_parcels: Any) -> None:
    labels = [parcel(number, goods) for number, goods in enumerate(make_parcels, 1)]
    wanted: Counter[str] = Counter()
    for goods in make_parcels:
        for sku, quantity in goods:
            wanted[f"S-{sku}"] += quantity
    (pick,) = to_picks(labels)
    assert {row["sku"]: row["quantity"] for row in pick["rows"]} == wanted
    assert pick["pieces"] == sum(wanted.values()) and pick["shipments"] == len(labels)
    for row in pick["rows"]:
        assert sum(position["quantity"] for position in row["positions"]) == row["quantity"]
        for position in row["positions"]:
            goods = make_parcels[int(position["sequence"]) - 1]
            assert position["quantity"] == sum(q for sku, q in goods if f"S-{sku}" == row["sku"])
    assert [row["sku"] for row in pick["rows"]] == sorted(wanted)


def parcel(number: int, goods: list[tuple[int, int]]) -> Label:
    """Give the label of a parcel with these (SKU, quantity)."""
    from orderctl.stages.documents import to_label

    lines = [
        {
            "order_id": "o",
            "line_ref": str(i),
            "sku": f"S-{sku}",
            "title": "x",
            "spec": "",
            "quantity": q,
            "kind": "goods",
        }
        for i, (sku, q) in enumerate(goods)
    ]
    recipient = {"name": "x", "address_lines": [], "country": "CN"}
    row = {
        "shipment_id": f"s{number}", "orders": [{"platform_ref": "r"}], "lines": lines, "recipient": recipient,
        "parcels": [{"number": f"N{number}", "lines": []}], "sequence": number, "warehouse": "hz", "wave": "1",
    }  # fmt: skip
    return to_label(row, sender={})


def test_pick_lists_are_one_for_each_warehouse_and_wave(make: Callable[..., Label]) -> None:
    labels = [
        make("SF0000000000001", warehouse="b", wave="2"), make("SF0000000000002", warehouse="a", wave="10"),
        make("SF0000000000003", warehouse="a", wave="9"), make("SF0000000000004", warehouse="b", wave="2"),
    ]  # fmt: skip
    assert [(p["warehouse"], p["wave"], p["shipments"]) for p in to_picks(labels)] == [
        ("a", "9", 1),
        ("a", "10", 1),
        ("b", "2", 2),
    ]
    document = render_picklist(labels)
    assert document.pages == 3 and (document.width_mm, document.height_mm) == (210, 297)
    for page in text_of(document.content):
        assert "第1/1页" in page and "拣货单" in page


def test_a_pick_list_shows_no_person_and_needs_no_name(make: Callable[..., Label]) -> None:
    label = make(mask=False, recipient={"name": "샘플"}, sequence=12, locations={"CUP-BLUE-001": "A-07-3"})
    page = text_of(render_picklist([label], language="en").content)[0]
    assert "A-07-3" in page and "12×2" in page and "13800000001" not in page
    label["items"][0]["sku"] = "샘플"
    with pytest.raises(DataError, match="샘플"):
        render_picklist([label])


def test_a_long_list_repeats_its_head_and_numbers_its_pages(
    make: Callable[..., Label], make_line: Callable[..., dict[str, Any]]
) -> None:
    labels = [
        make(f"SF{i:013d}", lines=[make_line(k) for k in range(1, 90)], sequence=i) for i in range(1, 4)
    ]
    pages = text_of(render_picklist(labels, language="en").content)
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        assert "Location" in page and f"Page{number}of{len(pages)}" in page


def test_errors_of_slip_templates_name_file_and_line(make: Callable[..., Label]) -> None:
    with pytest.raises(ConfigError, match=r"mine\.typ:2:5: dictionary does not contain key"):
        render_packing_slips(
            [make()], template="#let slip(d, words, width) = {\n  d.nope }", source="mine.typ"
        )
    with pytest.raises(ConfigError, match=r"mine\.typ:1:"):
        render_picklist([make()], template="#let picklist(d, words) = (", source="mine.typ")
    for render in (render_packing_slips, render_picklist):
        with pytest.raises(DataError, match="nothing to print"):
            render([])
