"""Names of districts and towns as people write them: short or full, and two full names that differ are two places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

ENDINGS: Mapping[str, Sequence[str]] = {
    "district": ("区", "县", "市", "旗"),
    "town": ("街道", "镇", "乡", "苏木"),
}
_SHORTEST = 2  # 城区 is a name by itself, not a 城 with an ending


def written_as(fact: str, name: str) -> tuple[str, ...]:
    """Give the names a `district` or `town` called `name` may be written by: 西湖 also as 西湖区, 西湖区 also as 西湖.

    A full name is never equal to another full one: 伊宁市 and 伊宁县 lie side by side.
    """
    endings = ENDINGS[fact]
    for ending in endings:
        short = name.removesuffix(ending)
        if short != name and len(short) >= _SHORTEST:
            return name, short
    return name, *(name + ending for ending in endings)
