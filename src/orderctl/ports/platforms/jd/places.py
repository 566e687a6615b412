"""Places as JD writes them: autonomous prefectures and some provinces go by short names.

Municipalities have their district in the city's place; `model.regions.placed` puts that right.
"""

from __future__ import annotations

import polars as pl

from orderctl.model.mapper import given
from orderctl.model.regions import placed

PREFECTURES = {
    "延边州": "延边朝鲜族自治州",
    "恩施州": "恩施土家族苗族自治州",
    "湘西州": "湘西土家族苗族自治州",
    "阿坝州": "阿坝藏族羌族自治州",
    "甘孜州": "甘孜藏族自治州",
    "凉山州": "凉山彝族自治州",
    "黔西南州": "黔西南布依族苗族自治州",
    "黔东南州": "黔东南苗族侗族自治州",
    "黔南州": "黔南布依族苗族自治州",
    "楚雄州": "楚雄彝族自治州",
    "红河州": "红河哈尼族彝族自治州",
    "文山州": "文山壮族苗族自治州",
    "西双版纳州": "西双版纳傣族自治州",
    "大理州": "大理白族自治州",
    "德宏州": "德宏傣族景颇族自治州",
    "怒江州": "怒江傈僳族自治州",
    "迪庆州": "迪庆藏族自治州",
    "临夏州": "临夏回族自治州",
    "甘南州": "甘南藏族自治州",
    "海北州": "海北藏族自治州",
    "黄南州": "黄南藏族自治州",
    "海南州": "海南藏族自治州",
    "果洛州": "果洛藏族自治州",
    "玉树州": "玉树藏族自治州",
    "海西州": "海西蒙古族藏族自治州",
    "昌吉州": "昌吉回族自治州",
    "博尔塔拉州": "博尔塔拉蒙古自治州",
    "博州": "博尔塔拉蒙古自治州",
    "巴音郭楞州": "巴音郭楞蒙古自治州",
    "巴州": "巴音郭楞蒙古自治州",
    "克孜勒苏州": "克孜勒苏柯尔克孜自治州",
    "克州": "克孜勒苏柯尔克孜自治州",
    "伊犁州": "伊犁哈萨克自治州",
}
LEVELS = ("province", "city", "district", "town")


def full_places(parts: pl.DataFrame) -> pl.DataFrame:
    """Give `province province_code city district town` as labels show them, of the columns LEVELS as JD wrote them."""
    return placed(parts.with_columns(pl.col("city").str.strip_chars().replace(PREFECTURES)))


def street(whole: pl.Expr, levels: list[pl.Expr]) -> pl.Expr:
    """Give the address behind the names of its places, which the platform writes before it without blanks."""
    names = pl.concat_str([given(level).fill_null("") for level in levels])
    rest = pl.when(whole.str.starts_with(names)).then(whole.str.slice(names.str.len_chars())).otherwise(whole)
    return given(rest)
