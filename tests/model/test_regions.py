"""Chinese regions: every province by all its names, levels that are none, addresses in one text."""

from __future__ import annotations

import polars as pl
import pytest

from orderctl.model.regions import (
    LEVELS,
    PROVINCES,
    placed,
    province_code,
    province_full,
    province_of_code,
    split_addresses,
)


def one(expr: pl.Expr, text: str | None) -> str | None:
    found: str | None = pl.DataFrame({"x": [text]}, schema={"x": pl.String}).select(expr).item()
    return found


def test_there_are_34_provinces_with_their_own_names_and_codes() -> None:
    assert len(PROVINCES) == 34
    for field in ("code", "gb", "full", "short", "latin"):
        assert len({getattr(p, field) for p in PROVINCES}) == 34
    kinds = [p.kind for p in PROVINCES]
    assert [kinds.count(k) for k in ("province", "municipality", "autonomous", "special")] == [23, 4, 5, 2]


@pytest.mark.parametrize("province", PROVINCES, ids=lambda p: p.latin)
def test_a_province_is_found_by_every_name(province: object) -> None:
    p = PROVINCES[PROVINCES.index(province)]  # type: ignore[arg-type]
    for name in (p.full, p.short, f" {p.short}\u3000", p.latin, p.latin.upper()):
        assert one(province_full(pl.col("x")), name) == p.full
    for code in (p.code, p.code.lower(), f"CN-{p.code}", p.gb, f"{p.gb}0000"):
        assert one(province_of_code(pl.col("x")), code) == p.full
    assert one(province_code(pl.col("x")), p.full) == p.code


def test_what_is_no_province_stays_as_it_is() -> None:
    assert one(province_full(pl.col("x")), "Bayern") == "Bayern"
    assert one(province_full(pl.col("x")), None) is None
    assert one(province_code(pl.col("x")), "Bayern") is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("北京", "北京市", "朝阳区", None), ("北京市", "北京市", "朝阳区", None)),
        (("上海市", "市辖区", "浦东新区", ""), ("上海市", "上海市", "浦东新区", None)),
        (("重庆", "县", "城口县", "样例乡"), ("重庆市", "重庆市", "城口县", "样例乡")),
        (("天津", None, "和平区", None), ("天津市", "天津市", "和平区", None)),
        (("北京", "朝阳区", "样例街道", None), ("北京市", "北京市", "朝阳区", "样例街道")),
        (("广东", "东莞", None, "样例镇"), ("广东省", "东莞市", None, "样例镇")),
        (("广东省", "中山市", "样例镇", None), ("广东省", "中山市", None, "样例镇")),
        (("湖北省", "", "仙桃市", "样例街道"), ("湖北省", "仙桃市", None, "样例街道")),
        (("湖北省", "省直辖县级行政区划", "潜江市", None), ("湖北省", "潜江市", None, None)),
        (("海南省", "儋州市", "儋州市", "样例镇"), ("海南省", "儋州市", None, "样例镇")),
        (("新疆", "自治区直辖县级行政区划", "石河子市", None), ("新疆维吾尔自治区", "石河子市", None, None)),
        (("内蒙古", "锡林郭勒盟", "锡林浩特市", None), ("内蒙古自治区", "锡林郭勒盟", "锡林浩特市", None)),
        (("浙江省", "杭州市", "余杭区", "样例街道"), ("浙江省", "杭州市", "余杭区", "样例街道")),
        ((None, None, None, None), (None, None, None, None)),
    ],
)
def test_levels_as_labels_show_them(given: tuple[str | None, ...], expected: tuple[str | None, ...]) -> None:
    frame = pl.DataFrame([given], schema=dict.fromkeys(LEVELS, pl.String), orient="row")
    assert placed(frame).select(LEVELS).row(0) == expected


def test_placing_keeps_rows_in_order_and_is_idempotent() -> None:
    rows = [
        ("北京", "北京市", "朝阳区", None),
        ("浙江", "杭州市", "余杭区", "a"),
        ("北京", "北京市", "朝阳区", None),
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(LEVELS, pl.String), orient="row")
    once = placed(frame)
    assert once["province"].to_list() == ["北京市", "浙江省", "北京市"]
    assert placed(once.select(LEVELS)).equals(once)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        (
            "浙江省 杭州市 余杭区 样例街道 样例路1号(310000)",
            ("浙江省", "杭州市", "余杭区", "样例街道", "样例路1号", "310000"),
        ),
        (
            "浙江省 杭州市 余杭区 样例街道样**路**号***(000000)",
            ("浙江省", "杭州市", "余杭区", "样例街道", "样**路**号***", None),
        ),
        (
            "上海 上海市 浦东新区 样例路1号（200000）",
            ("上海市", "上海市", "浦东新区", None, "样例路1号", "200000"),
        ),
        ("北京 朝阳区 样例街道 样例路", ("北京市", "北京市", "朝阳区", "样例街道", "样例路", None)),
        ("广东省 东莞市 样例镇 样例路1号 2栋", ("广东省", "东莞市", None, "样例镇", "样例路1号 2栋", None)),
        ("广东省 东莞市 样例路1号", ("广东省", "东莞市", None, None, "样例路1号", None)),
        ("湖北省 仙桃市 样例街道样例路", ("湖北省", "仙桃市", None, "样例街道", "样例路", None)),
        (
            "浙江省杭州市余杭区样例街道样例路1号",
            ("浙江省", "杭州市", "余杭区", "样例街道", "样例路1号", None),
        ),
        (
            "浙江省金华市义乌市江东街道样例区1号",
            ("浙江省", "金华市", "义乌市", "江东街道", "样例区1号", None),
        ),
        ("湖北省荆州市沙市区样例路", ("湖北省", "荆州市", "沙市区", None, "样例路", None)),
        ("北京市朝阳区样例路1号", ("北京市", "北京市", "朝阳区", None, "样例路1号", None)),
        ("江西省 景德镇市 昌江区 景德镇路1号", ("江西省", "景德镇市", "昌江区", None, "景德镇路1号", None)),
        (
            "广西壮族自治区 河池市 环江毛南族自治县 样例",
            ("广西壮族自治区", "河池市", "环江毛南族自治县", None, "样例", None),
        ),
        ("Example St 5, Berlin", (None, None, None, None, "Example St 5, Berlin", None)),
        ("浙江省", ("浙江省", None, None, None, None, None)),
        ("", (None,) * 6),
        (None, (None,) * 6),
    ],
)
def test_addresses_in_one_text(address: str | None, parts: tuple[str | None, ...]) -> None:
    found = split_addresses(pl.Series([address], dtype=pl.String))
    assert found.select(*LEVELS, "street", "postcode").row(0) == parts


def test_nothing_typed_is_lost() -> None:
    texts = [
        "浙江省 杭州市 余杭区 样例街道 样例路1号",
        "广东省 东莞市 样例路1号",
        "样例路1号 2栋",
        "上海 浦东新区 样例路",
    ]
    found = split_addresses(pl.Series(texts))
    for text, row in zip(texts, found.select(*LEVELS, "street").rows(), strict=True):
        kept = "".join(part for part in row if part)
        assert all(letter in kept for letter in text if letter != " ")
