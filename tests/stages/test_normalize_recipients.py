"""Recipients in one form, and when two of them are proved the same."""

from __future__ import annotations

from typing import Any

import pytest

from orderctl.model.facts import Facts
from orderctl.stages.normalize import NormalizeRules, normalize
from tests.stages.samples import order, orders

NOW = "2026-11-24T00:00:00Z"


def recipients(*changes: dict[str, Any], key: bytes = b"key", **order_changes: Any) -> list[dict[str, Any]]:
    batch = orders(*(order(str(at), recipient=change, **order_changes) for at, change in enumerate(changes)))
    found = normalize(batch, NormalizeRules(), Facts(key=key), NOW)
    return [row["recipient"] for row in found.to_dicts()]


def keys(*changes: dict[str, Any], **more: Any) -> list[str | None]:
    return [found["match_key"] for found in recipients(*changes, **more)]


@pytest.mark.parametrize(
    ("written", "phone", "extension"),
    [
        ("17000000000-1234", "17000000000", "1234"),
        ("17000000000转1234", "17000000000", "1234"),
        ("17000000000，1234", "17000000000", "1234"),
        ("17000000000 1234", "17000000000", "1234"),
        ("17000000000#12", "17000000000", "12"),
        ("17000000000 ext.0001", "17000000000", "0001"),
        ("17000000000[1234]", "17000000000", "1234"),
        ("１７０００００００００－１２３４", "17000000000", "1234"),
        ("+86 138 0000 0001", "13800000001", None),
        ("0086-13800000001", "13800000001", None),
        ("138-0000-0001", "13800000001", None),
        ("\u202d13800000001\u202c", "13800000001", None),
        ("0571-00000000-8001", "0571-00000000", "8001"),
        ("010-00000000", "010-00000000", None),
        ("400-000-0000转88", "400-000-0000", "88"),
        ("12345", "12345", None),
    ],
)
def test_extensions_of_chinese_numbers_are_parted_from_them(
    written: str, phone: str, extension: str | None
) -> None:
    found = recipients({"phone": written})[0]
    assert (found["phone"], found["phone_ext"]) == (phone, extension)


def test_an_extension_in_name_and_street_is_taken_out_of_both() -> None:
    found = recipients({"phone": "17000000000", "name": "测试甲[1234]", "street": "样例路1号[1234]"})[0]
    assert (found["name"], found["phone_ext"], found["street"]) == ("测试甲", "1234", "样例路1号")
    other = recipients({"phone": "17000000000-9", "name": "测试甲[1234]"})[0]
    assert (other["name"], other["phone_ext"]) == ("测试甲[1234]", "9")


def test_numbers_of_other_countries_stay_as_written() -> None:
    found = recipients(
        {"country": "us", "phone": "+1 (555) 010-0199", "postcode": "00000", "province": "CA"}
    )[0]
    assert (found["country"], found["phone"], found["phone_ext"]) == ("US", "+1 (555) 010-0199", None)


@pytest.mark.parametrize(
    ("country", "written", "phone", "extension"),
    [
        ("US", "(212) 555-0123", "+12125550123", None),
        ("US", "1-212-555-0123 ext. 45", "+12125550123", "45"),
        ("GB", "020 7946 0018", "+442079460018", None),
        ("DE", "+49 (0)30 23125 000", "+493023125000", None),
        ("HK", "2123 4567", "+85221234567", None),
        ("TW", "0912-345-678", "+886912345678", None),
        ("US", "12345", "12345", None),
        ("US", "call me", "call me", None),
        ("ZZ", "2123 4567", "2123 4567", None),
    ],
)
def test_valid_numbers_of_other_countries_get_one_form(
    country: str, written: str, phone: str, extension: str | None
) -> None:
    found = recipients({"country": country, "phone": written})[0]
    assert (found["phone"], found["phone_ext"]) == (phone, extension)


def test_numbers_abroad_written_otherwise_have_the_same_key() -> None:
    abroad = {"country": "US", "province": "NY", "city": "New York", "district": None}
    one, two = keys(abroad | {"phone": "(212) 555-0123"}, abroad | {"phone": "+1 212 555 0123"})
    assert one is not None
    assert one == two


def test_texts_are_cleaned_and_the_original_and_the_sealed_data_are_not() -> None:
    sealed = {"scheme": "taobao/oaid", "ref": " oaid\t", "blob": "Ａ"}
    found = recipients(
        {
            "name": " 测试\u200b甲\n\t（收） ",
            "company": " \x00 ",
            "address_lines": ["Ａ１ ", " "],
            "original": " 测试\u200b甲 ",
            "sealed": sealed,
        }
    )[0]
    assert found["name"] == "测试甲 (收)"
    assert found["company"] is None
    assert found["address_lines"] == ["A1"]
    assert found["original"] == " 测试\u200b甲 "
    assert found["sealed"] == sealed


def test_notes_stay_byte_for_byte() -> None:
    note = " １２\u200b\t\x07\r\n"
    batch = orders(order("1", buyer_note=note, seller_note=note))
    found = normalize(batch, NormalizeRules(), Facts(), NOW)
    assert found["buyer_note"].to_list() == [note]
    assert found["seller_note"].to_list() == [note]


def test_provinces_get_their_full_names_and_municipalities_are_their_own_city() -> None:
    plain, city = recipients(
        {"province": "内蒙古", "city": "包头市"}, {"province": "上海", "city": "市辖区", "district": "黄浦区"}
    )
    assert plain["province"] == "内蒙古自治区"
    assert (city["province"], city["city"], city["district"]) == ("上海市", "上海市", "黄浦区")


@pytest.mark.parametrize(
    "other",
    [
        {"name": " 测试甲 "},
        {"phone": "+86 13800000001"},
        {"province": "浙江"},
        {"street": "样例路１号"},
        {"street": "样例路 1 号。"},
        {"street": "浙江省杭州市西湖区样例路1号"},
        {"postcode": "310000"},
    ],
)
def test_the_same_recipient_written_otherwise_has_the_same_key(other: dict[str, Any]) -> None:
    one, two = keys({}, other)
    assert one is not None
    assert one == two


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("样例路1号3栋2单元401室", "样例路1号3-2-401"),
        ("样例路1号三栋二单元401室", "样例路1号3幢2单元401"),
        ("样例路1号十二栋", "样例路1号12号楼"),
        ("样例路1号3楼", "样例路1号3层"),
        ("样例街道样例路1号", "样例路1号"),
        ("浙江省杭州市西湖区样例路1号 13800000001", "样例路1号"),
        ("样例路1号 测试甲", "样例路1号"),
    ],
)
def test_the_same_door_written_otherwise_has_the_same_key(one: str, two: str) -> None:
    first, second = keys({"street": one}, {"street": two})
    assert first is not None
    assert first == second


def test_the_town_is_no_part_of_the_key() -> None:
    first, second = keys({"town": "样例街道"}, {})
    assert first == second


def test_words_for_buildings_and_rooms_are_equal() -> None:
    written = ["样例路1号3幢401室", "样例路1号3栋401", "样例路1号 3号楼 401房", "样例路1号3座401号房"]
    assert len(set(keys(*({"street": one} for one in written)))) == 1


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"street": "样例路1号401"}, {"street": "样例路1号402"}),
        ({"street": "样例路3-2-401"}, {"street": "样例路32-401"}),
        ({"street": "样例路3 2401"}, {"street": "样例路32401"}),
        ({"street": "样例路3栋2单元401"}, {"street": "样例路3栋2单元402"}),
        ({"street": "样例路三栋2单元401"}, {"street": "样例路二栋2单元401"}),
        ({"street": "样例路1号2栋"}, {"street": "样例路12栋"}),
        ({"name": "测试甲"}, {"name": "测试乙"}),
        ({"phone": "13800000001"}, {"phone": "13800000002"}),
        ({"phone": "17000000000-1"}, {"phone": "17000000000-2"}),
        ({"city": "宁波市"}, {"city": "杭州市"}),
        ({"address_lines": ["2"]}, {"address_lines": ["3"]}),
    ],
)
def test_other_recipients_have_other_keys(one: dict[str, Any], two: dict[str, Any]) -> None:
    first, second = keys(one, two)
    assert None not in (first, second)
    assert first != second


def test_keys_need_the_key_of_the_installation() -> None:
    assert keys({}) == keys({})
    assert keys({}) != keys({}, key=b"other")


@pytest.mark.parametrize("privacy", ["masked", "sealed"])
def test_who_is_not_plain_never_gets_a_canonical_key(privacy: str) -> None:
    found = recipients({"privacy": privacy})[0]
    assert (found["match_key"], found["match_kind"]) == (None, "none")
    claimed = recipients({"privacy": privacy, "match_key": "x", "match_kind": "canonical"})[0]
    assert (claimed["match_key"], claimed["match_kind"]) == (None, "none")


def test_too_little_of_a_recipient_proves_nothing() -> None:
    assert keys({"street": None}, {"name": None}) == [None, None]


def test_what_the_platform_proves_is_kept_hashed_once_and_only_equal_in_its_shop() -> None:
    proof = {"privacy": "sealed", "match_key": "group-1", "match_kind": "asked"}
    batch = orders(order("1", recipient=proof), order("2", shop="other", recipient=proof))
    once = normalize(batch, NormalizeRules(), Facts(), NOW)
    found = [row["recipient"] for row in once.to_dicts()]
    assert [one["match_kind"] for one in found] == ["asked", "asked"]
    assert found[0]["match_key"] != found[1]["match_key"]
    assert "group-1" not in str(found)
    twice = normalize(once, NormalizeRules(), Facts(), NOW)
    assert twice.equals(once)
