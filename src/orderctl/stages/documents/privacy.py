"""How a person is shown on a waybill in China: GB/T 41833-2022 hides part of name, phone and address.

At least one character of the name, at least six digits of the phone, and building, unit and room. Masking a
masked value changes nothing, so values a platform has masked already pass unharmed.
"""

from __future__ import annotations

import re

_COMPOUND = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "司徒",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "夏侯",
    "独孤",
    "南宫",
    "端木",
)
_COUNT = "[0-9A-Za-z一二三四五六七八九十]"
_ROOM = re.compile(
    f"{_COUNT}{{1,6}}(?:[\\-－][0-9]+)*(?:号楼|单元|楼|层|室)"
    f"|(?:{_COUNT}|[甲乙丙丁东西南北]){{1,4}}[栋幢座]"
    r"|(?<=[0-9号])[\-－][0-9]{1,4}(?:[\-－][0-9]{1,5})+|[0-9]{1,3}[#＃][0-9]"
)
_STARS = "**"


def mask_name(name: str) -> str:
    """Keep the family name (two characters for the compound ones): 张三 -> 张*, 欧阳测试 -> 欧阳**, Ann Lee -> A** L**."""
    if not name or "*" in name:
        return name
    if name.isascii():
        return " ".join(word[0] + _STARS for word in name.split())
    keep = 2 if len(name) > 2 and name.startswith(_COMPOUND) else 1
    return name[:keep] + "*" * max(1, min(2, len(name) - keep))


def mask_phone(phone: str, *, keep_head: int = 1, keep_tail: int = 4) -> str:
    """Hide all digits but the first `keep_head` and last `keep_tail`; six at least, or all there are.

    Signs between the digits stay where they are: 021-55550000 -> 0******0000 with its hyphen kept.
    """
    places = [i for i, c in enumerate(phone) if c.isdigit() or c == "*"]
    spare = max(0, len(places) - 6)
    tail = min(keep_tail, spare)
    head = min(keep_head, spare - tail)
    hidden = set(places[head : len(places) - tail])
    return "".join("*" if i in hidden else c for i, c in enumerate(phone))


def mask_address(address: str) -> str:
    """Cut the address before building, unit or room: 样例路1号3号楼201室 -> 样例路1号**."""
    found = _ROOM.search(address)
    if found is None or found.start() == 0:
        return address
    return address[: found.start()].rstrip(" ,，") + _STARS


def is_virtual(phone: str, extension: str | None) -> bool:
    """Tell a platform's own privacy number (a mobile number with an extension): it needs no mask."""
    return bool(extension) and re.fullmatch(r"1\d{10}", phone) is not None
