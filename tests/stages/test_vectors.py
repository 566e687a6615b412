"""Worked values of the reference sheets: phone numbers as people write them, and the widths of barcodes."""

from __future__ import annotations

import pytest

from orderctl.stages.documents.symbols import code128_modules
from tests.stages.test_normalize_recipients import recipients


@pytest.mark.parametrize(
    ("written", "phone", "extension"),
    [
        ("17000000000-1234", "17000000000", "1234"),
        ("18400000000转0001", "18400000000", "0001"),
        ("17000000000,1234", "17000000000", "1234"),
        ("15600000000-123", "15600000000", "123"),
        ("010-12345678转1234", "010-12345678", "1234"),
        ("0571-12345678-8001", "0571-12345678", "8001"),
        ("400-000-0000", "400-000-0000", None),
        ("8000000000", "8000000000", None),
    ],
)
def test_phones(written: str, phone: str, extension: str | None) -> None:
    found = recipients({"phone": written})[0]
    assert (found["phone"], found["phone_ext"]) == (phone, extension)


@pytest.mark.parametrize("name", ["测试甲[1234]", "测试甲"])
def test_the_extension_at_the_end_of_an_address_or_name_is_that_of_the_phone(name: str) -> None:
    found = recipients({"phone": "17000000000-1234", "name": name, "street": "样例路1号[1234]"})[0]
    assert (found["name"], found["phone_ext"], found["street"]) == ("测试甲", "1234", "样例路1号")


@pytest.mark.parametrize(
    ("number", "modules"),
    [
        ("SF0000000000001", 145),
        ("YT0000000000001", 145),
        ("73100000000001", 112),
        ("770000000000001", 134),
        ("9800000000001", 123),
        ("DPK0000000000001", 156),
        ("JDVC00000000001-1-1-", 222),
    ],
)
def test_barcodes_use_the_pairs_of_digits(number: str, modules: int) -> None:
    """All in subset B they would be half as wide again and not fit a label of 76 mm."""
    assert len(code128_modules(number)) == modules
