"""Labels as PDF: every page scans, has the right size, is complete, and no buyer's text is ever code."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from orderctl.model.errors import ConfigError, DataError
from orderctl.stages.documents import (
    Document,
    Label,
    check_labels,
    find_faults,
    find_unprintable,
    label_size,
    page_size,
    read_barcodes,
    render_labels,
    template_text,
    to_label,
)  # fmt: skip
from orderctl.stages.documents.pages import page_sizes

SIZES = ["76x130", "100x150"]
LONG = (
    "样例路一百二十三号样例大型综合购物中心及写字楼裙楼北侧入口旁边的样例便利店转交样例收件人先生本人亲自签收"
)


def text_of(pdf: bytes) -> list[str]:
    """Give the text of each page without spaces and line ends, read by another program."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [
            "".join(c for c in page.get_textpage().get_text_range() if not c.isspace() and c != "\u200b")
            for page in document
        ]
    finally:
        document.close()


def assert_nothing_collides(pdf: bytes) -> None:
    """Every character lies within the page's margin and none lies on another."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        for page in document:
            width, height = page.get_size()
            text = page.get_textpage()
            letters = [text.get_text_range(i, 1) for i in range(text.count_chars())]
            boxes = [text.get_charbox(i) for i, c in enumerate(letters) if not c.isspace() and c != "\u200b"]
            boxes = [box for box in boxes if box[2] > box[0] and box[3] > box[1]]
            assert boxes
            for left, bottom, right, top in boxes:
                assert left > 2 and bottom > 2 and right < width - 2 and top < height - 2
            boxes.sort()
            for at, (left, bottom, right, top) in enumerate(boxes):
                for other_left, other_bottom, other_right, other_top in boxes[at + 1 :]:
                    if other_left >= right:
                        break
                    across = min(right, other_right) - other_left
                    up = min(top, other_top) - max(bottom, other_bottom)
                    smaller = min(
                        (right - left) * (top - bottom),
                        (other_right - other_left) * (other_top - other_bottom),
                    )
                    assert across <= 0 or up <= 0 or across * up < 0.3 * smaller
    finally:
        document.close()


@pytest.fixture
def hard_cases(make: Callable[..., Label], make_line: Callable[..., dict[str, Any]]) -> list[Label]:
    """Labels as full as they get."""
    order = {"platform_ref": "2000000000000000001", "part": None, "parts": None}
    talk = {**order, "buyer_note": LONG * 3, "seller_note": "老客户，送一张贺卡" * 9}
    many = [{**order, "platform_ref": f"20000000000000000{i:02d}"} for i in range(20)]
    loud = [make_line(i, quantity=1 + i, title="超长商品标题" * 9, spec="规格" * 20) for i in range(1, 6)]
    return [
        make("SF0000000000001", sequence=1, total=140),
        make("SF0000000000002", mask=False, recipient={"name": "样例收件人" * 6, "address_lines": [LONG * 3]}, collect_minor=1280000,
             insured_minor=50000, sequence=2, total=140, copy=1),
        make("73100000000003", lines=[make_line(i, quantity=i) for i in range(1, 31)], orders=[talk], sequence=3, total=140),
        make("JDVC00000000004-1-1-", lines=[make_line(i) for i in range(1, 71)], parcel={"qr": None, "sort_code": None, "package_centre": None}),
        make("DPK0000000000005", lines=loud, orders=[talk], sequence=99999, total=99999, collect_minor=1),
        make("9999999999998", orders=many, parcel={"sort_code": "样例省样例自治州样例自治县样例大头笔很长", "package_centre": "样例集包地" * 9}),
        make("SF0000000000007", parcel={"qr": "https://example.invalid/" + "x" * 200}, service="特快加急专送" * 3, courier="很长的快递公司名称" * 3),
        make("SF0000000000008", lines=[make_line(1, sku="X" * 80, title="", spec="")], orders=[{**order, "platform_ref": "R" * 90}]),
        make(abroad=True, mask=False, sequence=9, total=9),
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_scans_in_order_at_its_size_and_nothing_collides(
    size: str, language: Any, hard_cases: list[Label]
) -> None:
    document = render_labels(hard_cases, size=size, language=language)
    width_mm, height_mm = (float(part) for part in size.split("x"))
    assert (document.width_mm, document.height_mm, document.pages) == (width_mm, height_mm, len(hard_cases))
    assert all(abs(w - width_mm) < 0.1 and abs(h - height_mm) < 0.1 for w, h in page_sizes(document.content))
    check_labels(document, [label["number"] for label in hard_cases])
    assert_nothing_collides(document.content)
    for page, label in zip(text_of(document.content), hard_cases, strict=True):
        assert label["number"] in page
        for field in ("name", "phone", "address"):
            assert label["recipient"][field].replace(" ", "") in page, "a recipient is never cut"


def test_bars_are_three_dots_wide_where_they_fit_and_two_where_not(make: Callable[..., Label]) -> None:
    for number, dots in (("SF0000000000001", 3), ("JDVC00000000004-1-1-", 2)):
        document = render_labels([make(number, parcel={"qr": None})])
        page = pypdfium2.PdfDocument(document.content)
        picture = (
            page[0].render(scale=203.2 / 72, grayscale=True).to_pil().point(lambda v: 255 if v >= 128 else 0)
        )
        page.close()
        found = zxingcpp.read_barcodes(picture)[0]
        modules = 145 if dots == 3 else 222
        assert abs((found.position.top_right.x - found.position.top_left.x) / modules - dots) < 0.05


def test_labels_are_the_same_bytes_in_every_process(
    make: Callable[..., Label], make_shipment: Callable[..., dict[str, Any]]
) -> None:
    row = make_shipment()
    program = (
        "import hashlib, json, sys; from orderctl.stages.documents import render_labels, render_packing_slips, "
        "render_picklist, render_receipt, to_label; label = to_label(json.loads(sys.argv[1]), sender={'name': 'x'});"
        "print([f([label, label]).sha256 for f in (render_labels, render_packing_slips, render_picklist, render_receipt)])"
    )
    import json

    said = [
        subprocess.run(
            [sys.executable, "-c", program, json.dumps(row)], env={"PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True, check=True, text=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai"))
    ]  # fmt: skip
    assert said[0] == said[1] and said[0].count("'") == 8
    assert render_labels([make()]).content == render_labels([make()]).content


def test_what_does_not_fit_is_marked(
    make: Callable[..., Label], make_line: Callable[..., dict[str, Any]]
) -> None:
    lines = [make_line(i) for i in range(1, 71)]
    zh, en = (
        text_of(render_labels([make(lines=lines)], language=language).content)[0] for language in ("zh", "en")
    )
    shown = sum(f"CUP-BLUE-{i:03d}" in zh for i in range(1, 71))
    assert 0 < shown < 70 and f"另有{70 - shown}种，见配货单" in zh
    assert "more:seepackingslip" in en
    few = text_of(render_labels([make(lines=lines[:3])]).content)[0]
    assert "见配货单" not in few and "样例商品" in few


def test_marks_for_copies_parts_gifts_and_sums(
    make_shipment: Callable[..., dict[str, Any]], make_line: Callable[..., dict[str, Any]]
) -> None:
    row = make_shipment(lines=[make_line(1, kind="gift")], collect_minor=12800, insured_minor=9900)
    row["parcels"] = [
        {**row["parcels"][0], "lines": [{"order_id": "taobao:a:1", "line_ref": "1", "quantity": 1}]}
    ] * 3
    label = to_label(row, 1, sender={"name": "样例"}, sequence=12, total=140, copy=2)
    page = text_of(render_labels([label]).content)[0]
    for word in (
        "副本2",
        "第2/3包",
        "12/140",
        "赠",
        "代收货款¥128.00",
        "保价¥99.00",
        "顺丰速运",
        "标快",
        "571-H1209",
        "集包地",
        "1.25kg",
    ):
        assert word in page
    plain = text_of(render_labels([{**label, "copy": 0, "parcels": 1}]).content)[0]
    assert "副本" not in plain and "包" not in plain.replace("集包", "")


def test_without_a_sort_code_the_destination_stands_large(make: Callable[..., Label]) -> None:
    page = text_of(render_labels([make(mask=False, parcel={"sort_code": None})]).content)[0]
    assert page.count("浙江省杭州市西湖区") == 2


def test_an_address_longer_than_any_label_names_the_shipment(make: Callable[..., Label]) -> None:
    fine, endless = (
        make("SF0000000000001"),
        make("SF0000000000002", mask=False, recipient={"address_lines": [LONG * 30]}),
    )
    with pytest.raises(DataError, match="s-SF0000000000002, parcel 1: its recipient does not fit"):
        render_labels([fine, endless])


def test_a_name_the_fonts_cannot_print_names_shipment_field_and_character(make: Callable[..., Label]) -> None:
    labels = [make(), make("SF0000000000002", mask=False, recipient={"name": "样例𬀀"})]
    assert find_unprintable(labels) == [(1, "recipient.name", "𬀀")] or find_unprintable(labels) == []
    labels[1]["recipient"]["name"] = "샘플"
    assert find_unprintable(labels) == [(1, "recipient.name", "샘플")]
    with pytest.raises(
        DataError, match=r"s-SF0000000000002, parcel 1: the fonts lack 샘플 in recipient\.name"
    ):
        render_labels(labels)


def test_emoji_in_a_note_print_as_the_sign_for_a_missing_character(
    make_shipment: Callable[..., dict[str, Any]],
) -> None:
    order = {"platform_ref": "R1", "part": None, "parts": None, "buyer_note": "谢谢🎉️🎉", "seller_note": None}
    page = text_of(render_labels([to_label(make_shipment(orders=[order]), sender={})]).content)[0]
    assert "谢谢〓" in page


@pytest.mark.parametrize(
    "evil",
    [
        '#panic("x")',
        '"]#read("main.typ")',
        "*a* _b_ `c` $d$ <e> @f // g",
        "\\u{41} \\n \\",
        "{d.number}",
        "= Title",
        "#[#{",
        "' \" ''",
    ],
)
def test_texts_are_data_only(
    evil: str, make: Callable[..., Label], make_line: Callable[..., dict[str, Any]]
) -> None:
    order = {"platform_ref": evil, "part": None, "parts": None, "buyer_note": evil, "seller_note": evil}
    label = make(mask=False, recipient={"name": evil, "address_lines": [evil]}, orders=[order], service=evil, courier=evil,
                 lines=[make_line(1, sku=evil, title=evil, spec=evil)], parcel={"sort_code": evil, "package_centre": evil})  # fmt: skip
    page = text_of(render_labels([label]).content)[0]
    assert page.count(evil.replace(" ", "")) >= 6


def supplied(
    make: Callable[..., Label],
    number: str,
    content: bytes,
    kind: str,
    width: float | None,
    height: float | None,
) -> Label:
    """Give a label made elsewhere."""
    about = {"kind": "supplied", "media_type": kind, "width_mm": width, "height_mm": height}
    return make(number, parcel={"label": about}, supplied=content)


def picture_of(number: str, size: tuple[int, int]) -> bytes:
    """Give a PNG with one barcode in the middle."""
    paper = Image.new("L", size, 255)
    drawn = zxingcpp.create_barcode(number, zxingcpp.BarcodeFormat.Code128).to_image(scale=3)
    shape = drawn.shape
    paper.paste(Image.frombytes("L", (shape[1], shape[0]), bytes(drawn)), (60, 300))
    buffer = io.BytesIO()
    paper.save(buffer, "PNG")
    return buffer.getvalue()


def test_ours_and_supplied_labels_keep_the_order_of_the_list_and_their_own_size(
    make: Callable[..., Label],
) -> None:
    elsewhere = render_labels([make("YT0000000000002")], size="100x180").content
    labels = [
        make("SF0000000000001"),
        supplied(make, "YT0000000000002", elsewhere, "application/pdf", 100, 180),
        supplied(make, "ZT0000000000003", picture_of("ZT0000000000003", (608, 1040)), "image/png", 76, 130),
        supplied(make, "YT0000000000002", elsewhere, "application/pdf", None, None),
        make("SF0000000000005"),
    ]
    document = render_labels(labels, size="76x130")
    check_labels(document, [label["number"] for label in labels])
    sizes = [(76, 130), (100, 180), (76, 130), (100, 180), (76, 130)]
    assert [(round(w), round(h)) for w, h in page_sizes(document.content)] == sizes
    assert [label_size(label, "76x130") for label in labels] == sizes
    assert document.width_mm is None and document.pages == 5
    assert render_labels([labels[1], labels[3]]).width_mm == 100


def test_every_label_of_one_document_has_its_own_paper(make: Callable[..., Label]) -> None:
    elsewhere = render_labels([make("YT0000000000002")], size="100x180").content
    labels = [
        make("SF0000000000001"),
        make("SF0000000000002", size="100x150"),
        supplied(make, "YT0000000000002", elsewhere, "application/pdf", 100, 180),
        make("SF0000000000004", size="76X130mm"),
        make("SF0000000000005", size="100x150"),
    ]
    sizes = [(76, 130), (100, 150), (100, 180), (76, 130), (100, 150)]
    document = render_labels(labels)
    check_labels(document, [label["number"] for label in labels])
    assert [(round(w), round(h)) for w, h in page_sizes(document.content)] == sizes
    assert [label_size(label, "76x130") for label in labels] == sizes
    assert (document.width_mm, document.height_mm, document.pages) == (None, None, 5)
    assert_nothing_collides(document.content)
    large = render_labels([labels[1], labels[4]])
    assert (large.width_mm, large.height_mm) == (100, 150)
    assert text_of(large.content)[0] == text_of(render_labels([labels[1]], size="a5").content)[0]


def test_faults_are_those_of_each_labels_own_paper(make: Callable[..., Label]) -> None:
    number = "A" * 40
    narrow, wide = (make(number, parcel={"qr": None}, size=size) for size in (None, "150x150"))
    assert [row for row, _ in find_faults([narrow, wide])] == [0]
    assert [row for row, _ in find_faults([narrow, wide], size="150x150")] == []


@pytest.mark.parametrize(
    "size", ["", "large", "76", "76x", "0x130", "76x-130", "nanxinf", "1e9x1", "76x130x5", "٧٦x130"]
)
def test_a_paper_that_is_none_is_named(size: str, make: Callable[..., Label]) -> None:
    with pytest.raises(ConfigError, match="unknown paper size"):
        page_size(size)
    if size:
        with pytest.raises(ConfigError, match="unknown paper size"):
            render_labels([make(size=size)])


def test_a_supplied_label_is_printed_at_exactly_its_size(make: Callable[..., Label]) -> None:
    own = render_labels([make("YT0000000000002")], size="100x150")
    placed = render_labels([supplied(make, "YT0000000000002", own.content, "application/pdf", 100, 150)])
    places = []
    for document in (own, placed):
        pdf = pypdfium2.PdfDocument(document.content)
        text = pdf[0].get_textpage()
        places.append([(text.get_text_range(i, 1), *text.get_charbox(i)) for i in range(text.count_chars())])
        pdf.close()
    assert len(places[0]) == len(places[1]) > 50
    for (letter, *box), (other_letter, *other_box) in zip(*places, strict=True):
        assert letter == other_letter and all(abs(a - b) < 0.01 for a, b in zip(box, other_box, strict=True))


def test_a_supplied_picture_fills_its_page_dot_for_dot(make: Callable[..., Label]) -> None:
    dots = picture_of("ZT0000000000003", (608, 1040))
    shown = render_labels([supplied(make, "ZT0000000000003", dots, "image/png", 76, 130)])
    pdf = pypdfium2.PdfDocument(shown.content)
    try:
        page = pdf[0]
        (placed,) = [part for part in page.get_objects() if isinstance(part, pypdfium2.PdfImage)]
        assert placed.get_px_size() == (608, 1040)
        left, bottom, right, top = placed.get_bounds()
        assert max(abs(left), abs(bottom), abs(right - page.get_width()), abs(top - page.get_height())) < 0.01
        with Image.open(io.BytesIO(dots)) as given:
            assert placed.get_bitmap().to_pil().convert("L").tobytes() == given.tobytes()
        page.close()
    finally:
        pdf.close()


@pytest.mark.parametrize(
    ("kind", "width", "height", "why"),
    [
        ("application/pdf", 76, 130, "would have to be scaled to 76 x 130 mm"),
        ("image/png", 100, 100, "would have to be scaled to 100 x 100 mm"),
        ("image/png", None, None, "comes without a size"),
        ("text/html", 76, 130, "no readable text/html"),
    ],
)
def test_a_supplied_label_that_would_be_scaled_or_cannot_be_read_is_refused(
    kind: str, width: Any, height: Any, why: str, make: Callable[..., Label]
) -> None:
    content = (
        render_labels([make()], size="100x150").content
        if kind == "application/pdf"
        else picture_of("X1", (608, 1040))
    )
    content = b"<html>" if kind == "text/html" else content
    with pytest.raises(DataError, match=f"s-SF0000000000009, parcel 1: .*{why}"):
        render_labels([supplied(make, "SF0000000000009", content, kind, width, height)])


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 garbage", b"\x89PNG\r\n\x1a\n"])
def test_garbage_for_a_supplied_label_is_a_clear_error(content: bytes, make: Callable[..., Label]) -> None:
    for kind in ("application/pdf", "image/png"):
        with pytest.raises(DataError, match="no readable"):
            render_labels([supplied(make, "SF0000000000009", content, kind, 76, 130)])


def test_a_supplied_label_of_two_pages_is_refused(make: Callable[..., Label]) -> None:
    two = render_labels([make(), make("SF0000000000002")]).content
    with pytest.raises(DataError, match="has 2 pages"):
        render_labels([supplied(make, "SF0000000000009", two, "application/pdf", 76, 130)])


def test_the_check_notices_a_swapped_a_missing_and_an_unreadable_page(make: Callable[..., Label]) -> None:
    numbers = ["SF0000000000001", "SF0000000000002", "SF0000000000003"]
    document = render_labels([make(number) for number in numbers])
    check_labels(document, numbers)
    check_labels(document, [numbers[0], None, numbers[2]])
    with pytest.raises(DataError, match="page 2: the barcode of waybill SF0000000000003"):
        check_labels(document, [numbers[0], numbers[2], numbers[1]])
    with pytest.raises(DataError, match="3 pages for 2"):
        check_labels(document, numbers[:2])
    blank = replace(document, content=blank_pdf(3))
    with pytest.raises(DataError, match="page 1"):
        check_labels(blank, numbers)
    assert list(read_barcodes(blank)) == [[], [], []]


def blank_pdf(pages: int) -> bytes:
    """Give a PDF of empty pages."""
    pdf = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        pdf.new_page(200, 300)
    buffer = io.BytesIO()
    pdf.save(buffer)
    pdf.close()
    return buffer.getvalue()


def render_with(make: Callable[..., Label], template: str, labels: Sequence[Label] = ()) -> Document:
    """Set labels with a seller's template."""
    return render_labels(labels or [make()], template=template, source="mine/label.typ")


def test_a_sellers_template_may_change_the_label(make: Callable[..., Label]) -> None:
    own = template_text("label").replace("(14pt, 12pt, 10pt, 8pt, smallest))) + mark", "(11pt, 8pt))) + mark")
    assert render_with(make, own).content != render_labels([make()]).content
    tiny = "#let label(d, words, width, height) = [谢谢 #d.number]"
    assert text_of(render_with(make, tiny).content) == ["谢谢SF0000000000001"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("#let label(d, words, width, height) = {\n  d.nmuber\n}", r'mine/label\.typ:2:5: dictionary does not contain key "nmuber"'),
        ("#let label(d, words, width, height) = (\n", r"mine/label\.typ:1:39: unclosed delimiter"),
        ('#let label(d, words, width, height) = text(font: "Nope", d.number)', r"mine/label\.typ:1:\d+: unknown font family: nope"),
        ("#let other = 1", r"mine/label\.typ|main\.typ"),
        ("#let label(d, words, width, height) = [a #pagebreak() b]", "makes 2 pages of 1 labels"),
        ('#import "@preview/x:1.0.0": y\n#let label(d, words, width, height) = []', "may not use 'import'"),
        ('#let label(d, words, width, height) = { let p = "@preview/x:1.0.0"; import p }', "may not use 'import'"),
        ('#let label(d, words, width, height) = include "/etc/passwd"', "may not use 'include'"),
        ('#let label(d, words, width, height) = eval("1")', "may not use 'eval'"),
        ('#let label(d, words, width, height) = read("/etc/passwd")', r"mine/label\.typ:1:\d+: file not found"),
        ('#let label(d, words, width, height) = read("../../../etc/passwd")', r"mine/label\.typ:1:\d+: path"),
        ("#let label(d, words, width, height) = { while true { } }", r"mine/label\.typ:1:\d+"),
    ],
)  # fmt: skip
def test_errors_of_a_template_name_its_file_and_line(
    template: str, message: str, make: Callable[..., Label]
) -> None:
    with pytest.raises(ConfigError, match=message):
        render_with(make, template)


def test_no_labels_are_an_error() -> None:
    with pytest.raises(DataError, match="no label"):
        render_labels([])


@pytest.mark.parametrize("number", ["", "运单", "A" * 60])
def test_a_number_that_cannot_be_a_barcode_names_the_shipment(
    number: str, make: Callable[..., Label]
) -> None:
    with pytest.raises(DataError, match="shipment s-"):
        render_labels([make(number)])


def test_all_faults_are_found_at_once_and_the_rest_prints(make: Callable[..., Label]) -> None:
    labels = [
        make("SF0000000000001"),
        make("SF0000000000002", mask=False, recipient={"address_lines": [LONG * 30]}),
        make("运单"),
        make("SF0000000000004"),
        make("SF0000000000005", mask=False, recipient={"name": "샘플"}),
        supplied(make, "SF0000000000006", b"<html>", "text/html", 76, 130),
        make("SF0000000000007", mask=False, recipient={"name": "样例" * 300}),
    ]
    faults = dict(find_faults(labels))
    assert list(faults) == [1, 2, 4, 5, 6]
    assert all("parcel 1: " in str(why) for why in faults.values())
    good = [label for row, label in enumerate(labels) if row not in faults]
    assert find_faults(good) == []
    check_labels(render_labels(good), [label["number"] for label in good])
    with pytest.raises(ConfigError):
        find_faults(good, template="#let label(d, words, width, height) = [a #pagebreak() b]")
