"""The provinces of China by all their names and codes, and the levels of pick lists that are none.

One invariant: a text that is no known province stays as it is. Names of other countries pass through unchanged.

Source: GB/T 2260 (names and the two-digit codes of provinces) and ISO 3166-2:CN (letter codes).
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl


class Province(NamedTuple):
    """One province-level unit."""

    code: str
    """ISO 3166-2 without the country: the form other countries' provinces come in too."""
    gb: str
    """Two digits of GB/T 2260, the beginning of every region code below it."""
    full: str
    short: str
    kind: str
    """province, municipality, autonomous or special."""
    latin: str


PROVINCES: tuple[Province, ...] = (
    Province("BJ", "11", "北京市", "北京", "municipality", "Beijing"),
    Province("TJ", "12", "天津市", "天津", "municipality", "Tianjin"),
    Province("HE", "13", "河北省", "河北", "province", "Hebei"),
    Province("SX", "14", "山西省", "山西", "province", "Shanxi"),
    Province("NM", "15", "内蒙古自治区", "内蒙古", "autonomous", "Inner Mongolia"),
    Province("LN", "21", "辽宁省", "辽宁", "province", "Liaoning"),
    Province("JL", "22", "吉林省", "吉林", "province", "Jilin"),
    Province("HL", "23", "黑龙江省", "黑龙江", "province", "Heilongjiang"),
    Province("SH", "31", "上海市", "上海", "municipality", "Shanghai"),
    Province("JS", "32", "江苏省", "江苏", "province", "Jiangsu"),
    Province("ZJ", "33", "浙江省", "浙江", "province", "Zhejiang"),
    Province("AH", "34", "安徽省", "安徽", "province", "Anhui"),
    Province("FJ", "35", "福建省", "福建", "province", "Fujian"),
    Province("JX", "36", "江西省", "江西", "province", "Jiangxi"),
    Province("SD", "37", "山东省", "山东", "province", "Shandong"),
    Province("HA", "41", "河南省", "河南", "province", "Henan"),
    Province("HB", "42", "湖北省", "湖北", "province", "Hubei"),
    Province("HN", "43", "湖南省", "湖南", "province", "Hunan"),
    Province("GD", "44", "广东省", "广东", "province", "Guangdong"),
    Province("GX", "45", "广西壮族自治区", "广西", "autonomous", "Guangxi"),
    Province("HI", "46", "海南省", "海南", "province", "Hainan"),
    Province("CQ", "50", "重庆市", "重庆", "municipality", "Chongqing"),
    Province("SC", "51", "四川省", "四川", "province", "Sichuan"),
    Province("GZ", "52", "贵州省", "贵州", "province", "Guizhou"),
    Province("YN", "53", "云南省", "云南", "province", "Yunnan"),
    Province("XZ", "54", "西藏自治区", "西藏", "autonomous", "Tibet"),
    Province("SN", "61", "陕西省", "陕西", "province", "Shaanxi"),
    Province("GS", "62", "甘肃省", "甘肃", "province", "Gansu"),
    Province("QH", "63", "青海省", "青海", "province", "Qinghai"),
    Province("NX", "64", "宁夏回族自治区", "宁夏", "autonomous", "Ningxia"),
    Province("XJ", "65", "新疆维吾尔自治区", "新疆", "autonomous", "Xinjiang"),
    Province("TW", "71", "台湾省", "台湾", "province", "Taiwan"),
    Province("HK", "81", "香港特别行政区", "香港", "special", "Hong Kong"),
    Province("MO", "82", "澳门特别行政区", "澳门", "special", "Macao"),
)

_OTHER_NAMES = {
    "宁夏省": "宁夏回族自治区",
    "宁夏自治区": "宁夏回族自治区",
    "新疆省": "新疆维吾尔自治区",
    "新疆自治区": "新疆维吾尔自治区",
    "广西省": "广西壮族自治区",
    "广西自治区": "广西壮族自治区",
    "西藏省": "西藏自治区",
    "内蒙古省": "内蒙古自治区",
    "内蒙": "内蒙古自治区",
    "香港特区": "香港特别行政区",
    "澳门特区": "澳门特别行政区",
    "Nei Mongol": "内蒙古自治区",
    "Xizang": "西藏自治区",
    "Macau": "澳门特别行政区",
}

MUNICIPALITIES: tuple[str, ...] = tuple(p.full for p in PROVINCES if p.kind == "municipality")
MUNICIPAL_GB: tuple[int, ...] = tuple(int(p.gb) for p in PROVINCES if p.kind == "municipality")
UNDIVIDED_CITIES: tuple[str, ...] = ("东莞市", "中山市", "儋州市", "嘉峪关市")
"""Prefecture-level cities without districts: the next level down is a town or a street."""

DIRECT_UNITS: tuple[str, ...] = (
    *("济源市", "仙桃市", "潜江市", "天门市", "神农架林区"),
    *("五指山市", "琼海市", "文昌市", "万宁市", "东方市", "定安县", "屯昌县", "澄迈县", "临高县"),
    *("白沙黎族自治县", "昌江黎族自治县", "乐东黎族自治县", "陵水黎族自治县"),
    *("保亭黎族苗族自治县", "琼中黎族苗族自治县"),
    *("石河子市", "阿拉尔市", "图木舒克市", "五家渠市", "北屯市", "铁门关市"),
    *("双河市", "可克达拉市", "昆玉市", "胡杨河市", "新星市", "白杨市"),
)
"""County-level units directly under a province: they stand in the place of the city and have no districts."""

PSEUDO_LEVELS: tuple[str, ...] = (
    *(
        "市辖区",
        "市辖县",
        "县",
        "郊县",
        "省直辖县",
        "省直辖县级行政区划",
        "省直辖县级行政单位",
        "省直辖行政单位",
    ),
    *(
        "自治区直辖县级行政区划",
        "自治区直辖县级行政单位",
        "直辖县",
        "直辖县级",
        "其它区",
        "其他区",
        "其他",
        "其它",
    ),
)
"""Words of the statistical tables and of platforms' pick lists that name no place."""

ALIASES: dict[str, str] = {
    **{p.short: p.full for p in PROVINCES},
    **{p.full: p.full for p in PROVINCES},
    **{p.short + p.full[-1]: p.full for p in PROVINCES if p.kind == "province"},
    **{p.latin: p.full for p in PROVINCES},
    **{p.latin.upper(): p.full for p in PROVINCES},
    **_OTHER_NAMES,
}
"""The full name of a province by every name it goes by."""
_CODE: dict[str, str] = {p.full: p.code for p in PROVINCES}
_BY_CODE: dict[str, str] = {
    key: p.full for p in PROVINCES for key in (p.code, p.gb, p.gb + "0000", "CN-" + p.code)
}
BLANKS = " \t\r\n\u3000\u00a0"


def province_full(name: pl.Expr) -> pl.Expr:
    """Give the full name of a province written short, full, as in old lists or in Latin letters; others unchanged."""
    clean = name.str.strip_chars(BLANKS)
    return clean.replace_strict(ALIASES, default=clean, return_dtype=pl.String)


def province_of_code(code: pl.Expr) -> pl.Expr:
    """Give the full name for an ISO 3166-2:CN code (`ZJ`, `CN-ZJ`) or a GB/T 2260 one (`33`, `330000`), else null."""
    return code.str.to_uppercase().replace_strict(_BY_CODE, default=None, return_dtype=pl.String)


def province_code(full: pl.Expr) -> pl.Expr:
    """Give the ISO 3166-2:CN letters (`ZJ`) of a full province name; null for what is none."""
    return full.replace_strict(_CODE, default=None, return_dtype=pl.String)
