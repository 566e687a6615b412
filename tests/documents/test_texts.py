"""Characters, masks, words and data: what a label says before it is set."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from orderctl.assets import FONTS
from orderctl.model.errors import ConfigError, DataError
from orderctl.model.text import sentences
from orderctl.stages.documents import Label, missing_characters, page_size, to_label
from orderctl.stages.documents.characters import clean, irreplaceable, printable
from orderctl.stages.documents.data import natural
from orderctl.stages.documents.privacy import mask_address, mask_name, mask_phone
from orderctl.stages.documents.words import COURIERS, WORDS

SOURCE = Path(__file__).parents[2] / "src" / "orderctl"


def test_the_list_of_characters_is_what_the_fonts_have() -> None:
    have: set[int] = set()
    for path in FONTS.glob("*.ttf"):
        with TTFont(path) as font:
            have |= set(font.getBestCmap())
    told = {
        point
        for span in (FONTS / "characters.txt").read_text().split()
        for point in range(int(span.split("-")[0], 16), int(span.split("-")[1], 16) + 1)
    }
    assert told == have


def test_fonts_cover_names_and_alphabets_but_not_everything() -> None:
    pairs = [bytes((high, low)) for high in range(0x81, 0xFF) for low in range(0x40, 0xFF)]
    gbk = "".join(pair.decode("gbk", "ignore") for pair in pairs)
    assert missing_characters(gbk) <= {"≒", "\x7f"}
    assert (
        missing_characters("㐂䶮喆堃珺昇祎玥垚 Łódź Müller Çağrı Иван Ελένη Nguyễn ￥¥€ かな ①②★→") == set()
    )
    assert missing_characters("한국 ไทย 🎉") == set("한국ไทย🎉")
    assert irreplaceable("한국🎉") == set("한국")
    assert printable("好的🎉🎉谢谢") == "好的〓谢谢"


@given(st.text())
def test_clean_text_is_one_line_without_control_characters_and_cleaning_twice_changes_nothing(
    text: str,
) -> None:
    shown = clean(text)
    assert shown == clean(shown)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ufeff]", shown)
    assert shown == shown.strip()


@given(st.text(), st.text())
def test_every_missing_character_is_told_or_replaced(left: str, right: str) -> None:
    assert missing_characters(printable(left + right)) == set()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("样例", "样*"),
        ("样例三", "样**"),
        ("欧阳样例", "欧阳**"),
        ("样*", "样*"),
        ("", ""),
        ("Ann Sample", "A** S**"),
    ],
)
def test_names_hide_at_least_one_character(name: str, shown: str) -> None:
    assert mask_name(name) == shown
    assert mask_name(shown) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13800000001", "1******0001"), ("138****0001", "1******0001"), ("0571-55550000", "0***-****0000"),
        ("021-55550000", "0**-****0000"), ("110000", "******"), ("", ""), ("+86 13800000001", "+8* *******0001"),
    ],
)  # fmt: skip
def test_phones_hide_at_least_six_digits(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown
    assert mask_phone(shown) == shown


@given(st.text("0123456789- +", max_size=20))
def test_six_digits_or_all_are_hidden_in_any_phone(phone: str) -> None:
    digits = sum(c.isdigit() for c in phone)
    assert mask_phone(phone).count("*") >= min(6, digits)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("浙江省杭州市西湖区样例路1号3号楼201室", "浙江省杭州市西湖区样例路1号**"),
        ("样例路88号2单元1201室", "样例路88号**"), ("样例路1-3号楼", "样例路**"), ("样例路5号A座1203", "样例路5号**"),
        ("样例路5号-2-301", "样例路5号**"), ("东门路5号", "东门路5号"), ("样例大道八一楼堂", "样例大道**"), ("样例小区7#301", "样例小区**"),
        ("样例镇样例村", "样例镇样例村"),
    ],
)  # fmt: skip
def test_addresses_end_before_building_unit_and_room(address: str, shown: str) -> None:
    assert mask_address(address) == shown


def test_masks_apply_in_china_only_and_on_request(make: Callable[..., Label]) -> None:
    masked, plain, abroad = make(), make(mask=False), make(abroad=True)
    assert masked["recipient"]["name"] == "样**" and masked["recipient"]["phone"] == "1******0001"
    assert masked["recipient"]["address"].endswith("样例路1号**")
    assert plain["recipient"]["name"] == "样例收件人" and plain["recipient"]["address"].endswith("201室")
    assert abroad["recipient"]["phone"] == "+1 202 555 0100"
    assert abroad["recipient"]["address"] == "1 Example Street, Apt 12, San Example, CA"


def test_a_platform_number_with_extension_stays_whole(make: Callable[..., Label]) -> None:
    label = make(recipient={"phone": "17000000000", "phone_ext": "1234"})
    assert label["recipient"]["phone"] == "17000000000-1234"


def test_goods_of_one_parcel_are_added_up_by_sku_and_sorted_by_shelf(
    make: Callable[..., Label], make_line: Callable[..., dict[str, Any]]
) -> None:
    lines = [
        make_line(1, quantity=2), make_line(2, order_id="taobao:a:2"), make_line(3, sku="CUP-BLUE-001", quantity=3),
        make_line(4, kind="service"), make_line(5, quantity=0), make_line(6, kind="gift", sku="CUP-BLUE-001"),
    ]  # fmt: skip
    label = make(lines=lines, locations={"CUP-BLUE-002": "A-2", "CUP-BLUE-001": "A-10"})
    assert [(i["sku"], i["quantity"], i["gift"], i["location"]) for i in label["items"]] == [
        ("CUP-BLUE-002", 1, False, "A-2"), ("CUP-BLUE-001", 5, False, "A-10"), ("CUP-BLUE-001", 1, True, "A-10"),
    ]  # fmt: skip


def test_each_parcel_of_a_shipment_tells_its_own_goods(make_shipment: Callable[..., dict[str, Any]]) -> None:
    row = make_shipment()
    parcel = row["parcels"][0]
    carried = [{"order_id": "taobao:a:1", "line_ref": "1", "quantity": 1}]
    row["parcels"] = [
        {**parcel, "lines": carried},
        {**parcel, "parcel_no": 2, "lines": [*carried, {**carried[0], "line_ref": "2"}]},
    ]
    first, second = (to_label(row, index, sender={"name": "x"}) for index in (0, 1))
    assert [i["quantity"] for i in first["items"]] == [1] and [i["quantity"] for i in second["items"]] == [
        1,
        1,
    ]
    assert (first["parcel"], second["parcel"], second["parcels"]) == (1, 2, 2)


def test_money_notes_and_orders_are_told(make_shipment: Callable[..., dict[str, Any]]) -> None:
    order = {"platform_ref": "R1", "part": 1, "parts": 2, "buyer_note": "快\n点", "seller_note": "送卡"}
    label = to_label(make_shipment(orders=[order, {**order, "platform_ref": "R2", "part": None, "parts": None}],
                                   collect_minor=12800, insured_minor=500), sender={})  # fmt: skip
    assert label["orders"] == ["R1 (1/2)", "R2"]
    assert label["notes"] == [{"kind": "buyer", "text": "快 点"}, {"kind": "seller", "text": "送卡"}]
    assert (label["collect"], label["insured"]) == ("¥128.00", "¥5.00")
    assert to_label(make_shipment(currency="JPY", collect_minor=128), sender={})["collect"] == "JPY 128"


def test_a_supplied_label_without_its_bytes_is_an_error(make: Callable[..., Label]) -> None:
    with pytest.raises(DataError, match="s-SF0000000000001"):
        make(
            parcel={
                "label": {
                    "kind": "supplied",
                    "media_type": "application/pdf",
                    "width_mm": 76,
                    "height_mm": 130,
                }
            }
        )


def test_shelves_sort_as_people_count() -> None:
    assert sorted(["", "B-1", "A-10", "A-2"], key=natural) == ["A-2", "A-10", "B-1", ""]


def test_paper_sizes() -> None:
    assert (
        page_size("76x130") == (76, 130)
        and page_size("A4") == (210, 297)
        and page_size("101.6x152.4mm") == (101.6, 152.4)
    )
    with pytest.raises(ConfigError, match="letterbox"):
        page_size("letterbox")


def test_both_languages_have_the_same_words_and_slots() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys() and COURIERS["zh"].keys() == COURIERS["en"].keys()
    for key, word in WORDS["zh"].items():
        assert _slots(word) == _slots(WORDS["en"][key]), key
    assert not missing_characters("".join([*WORDS["zh"].values(), *WORDS["en"].values()]))


def test_every_sentence_has_a_chinese_one_with_the_same_slots() -> None:
    paths = [*SOURCE.glob("stages/documents/*.py"), *SOURCE.glob("ports/printers/*.py")]
    told = {
        node.args[0].value
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "Text"
        and isinstance(node.args[0], ast.Constant)
    }
    known = sentences("zh")
    assert told and not {template for template in told if template not in known}
    assert all(_slots(template) == _slots(known[template]) for template in told)


def _slots(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}
