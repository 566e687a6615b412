"""The recorded orders that are there by the API and by file: what the file lacks is exactly what the page on platforms says."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import polars as pl
import pytest

from tests.ports.platforms.golden import read_files, sources
from tests.ports.platforms.pairs import Law, Order, by_ref, check_pair


class Pair(NamedTuple):
    """Two sources of the same orders; `least` of them at least."""

    api: str
    file: str | Callable[[], pl.DataFrame]
    least: int
    otherwise: dict[str, Law] = {}  # noqa: RUF012
    only_in_file: frozenset[str] = frozenset()


def by_place(api: Order, file: Order) -> bool:
    return [line["line_ref"] for line in file["lines"]] == [str(n + 1) for n in range(len(api["lines"]))]


def own_text(api: Order, file: Order) -> bool:
    kinds = (api["recipient"]["match_kind"], file["recipient"]["match_kind"])
    return kinds in (("address_id", "canonical"), ("address_id", "none"), ("index", "none"))


def placed_later(api: Order, file: Order) -> bool:
    return str(api["placed_at"]) <= str(file["placed_at"])


PAIRS = {
    "pdd": Pair("pdd/order", lambda: read_files("pdd/pair.csv").raw, 12, {"placed_at": placed_later}),
    "douyin": Pair("douyin/order", lambda: read_files("douyin/pair.csv").raw, 9),
    "jd": Pair(
        "jd/order", "jd/export-csv", 13,
        only_in_file=frozenset({"recipient.match_key", "recipient.match_kind", "seller_flag"}),
    ),
    "kuaishou": Pair(
        "kuaishou/order", "kuaishou/export-csv", 10,
        {"recipient.match_key": own_text, "recipient.match_kind": own_text},
        frozenset({"recipient.original"}),
    ),
    "amazon, unshipped": Pair("amazon/order", "amazon/export-unshipped", 1),
    "amazon, all orders": Pair("amazon/order", "amazon/export-all", 1, {"lines.line_ref": by_place}),
}  # fmt: skip
QUIRKS = {"290000000017", "290000000018", "290000000025"}
"""Orders of JD that are there for damage or for quirks of one of the two ways."""


@pytest.mark.parametrize("name", PAIRS)
def test_an_order_of_a_file_is_the_order_of_the_api_but_for_what_the_page_lists(name: str) -> None:
    pair = PAIRS[name]
    raw = sources()[pair.file]() if isinstance(pair.file, str) else pair.file()
    file, api = by_ref(raw), by_ref(sources()[pair.api]())
    both = [ref for ref in file if ref in api and ref not in QUIRKS]
    assert len(both) >= pair.least
    check_pair(
        {ref: api[ref] for ref in both},
        {ref: file[ref] for ref in both},
        platform=name,
        otherwise=pair.otherwise,
        only_in_file=set(pair.only_in_file),
    )
