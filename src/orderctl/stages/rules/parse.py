"""`rules.yaml` read into a book of rules: every mistake named at once, with line and column."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from orderctl.model.text import Text
from orderctl.model.yamlfile import (
    Finding,
    config_error,
    load_with_nodes,
    locate,
    nearest,
)
from orderctl.stages.normalizing.skus_parts import bundles_frame
from orderctl.stages.normalizing.skus_tables import nested
from orderctl.stages.rules.book import ZONE, RuleBook, Rules, is_zone
from orderctl.stages.rules.files import Files


def _context(data: Any) -> dict[str, Any]:
    zone = data.get("timezone", ZONE) if isinstance(data, dict) else ZONE
    return {"zone": zone if is_zone(zone) else ZONE}


def parse(
    text: str,
    source: str = "rules.yaml",
    tables: Callable[[str], pl.DataFrame] | None = None,
    texts: Callable[[str], str] | None = None,
) -> RuleBook:
    """Read the rules in `text`.

    Args:
        tables: reads a table named in the rules (CSV, XLSX, Parquet) as a frame of texts; needed only when one is
            named, and allowed to raise what says that it cannot be read.
        texts: reads a YAML file named in the rules as text, likewise.

    Raises: ConfigError listing every mistake as `source:line:column: what`.
    """
    rules, node = load_with_nodes(text, source, Rules, context=_context)
    files = Files(source, node, tables, texts)
    rules = rules.model_copy(
        update={"tariffs": [files.priced(tariff, at) for at, tariff in enumerate(rules.tariffs)]}
    )
    book = RuleBook(rules, source, files.read(rules), node)
    bundles = (
        book.tables.bundles if isinstance(rules.skus.bundles, str) else bundles_frame(rules.skus.bundles)
    )
    if bundles is not None and (inside := ", ".join(nested(bundles))):
        files.refuse(Text("{skus}: a bundle cannot be part of a bundle", skus=inside), "skus", "bundles")
    if unknown := _unknown_gifts(book, bundles):
        raise config_error(source, unknown)
    return book


def _unknown_gifts(book: RuleBook, bundles: pl.DataFrame | None) -> list[Finding]:
    """Find gifts that are no articles: nobody could pick them, and nobody knows what they weigh."""
    articles = book.normalize.articles()["sku"].to_list()
    sets = set() if bundles is None else set(bundles["sku"].to_list())
    found = []
    for at, rule in enumerate(book.rules.gifts):
        for place, one in enumerate(rule.give):
            if one.sku in articles:
                continue
            text = Text("the catalogue has no article '{sku}'", sku=one.sku)
            hint = nearest(one.sku, articles)
            if one.sku in sets:
                text, hint = Text("'{sku}' is a bundle: give its parts", sku=one.sku), None
            where = locate(book.node, ("gifts", at, "give", place, "sku"))
            found.append(Finding(*where, text, hint))
    return found
