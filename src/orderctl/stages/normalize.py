"""Orders in our words: our SKUs, one form of recipient, what is left to ship, and what is wrong.

Input are orders as the platforms' mappers give them; rows in are rows out, in their order, and a second pass over
the output changes nothing. Notes of buyers and sellers are read, never touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

import polars as pl

from orderctl.model.facts import Facts
from orderctl.model.schema import LINE, ORDER
from orderctl.stages.normalizing.addresses import address_problems
from orderctl.stages.normalizing.audit import OPEN, audited
from orderctl.stages.normalizing.audit_known import blacklist_of, known_of_orders, with_listed
from orderctl.stages.normalizing.audit_risk import with_risk
from orderctl.stages.normalizing.audit_soft import line_figures
from orderctl.stages.normalizing.costs import costs_frame, with_costs
from orderctl.stages.normalizing.notes import NoteReader, read_notes
from orderctl.stages.normalizing.recipients import canonical_recipients
from orderctl.stages.normalizing.skus import Articles, catalogue_frame, map_skus
from orderctl.stages.normalizing.skus_map import SkuMap, entries_frame
from orderctl.stages.normalizing.skus_parts import bundles_frame, made_otherwise
from orderctl.stages.rules.sections.audit import AuditSection
from orderctl.stages.rules.sections.notes import NotesSection
from orderctl.stages.rules.sections.skus import SkusSection

NAMED_AT_MOST = 5
_LINE = [part.name for part in LINE.fields]


@dataclass(frozen=True)
class NormalizeRules:
    """The sections of the rules that `normalize` follows.

    `catalogue` replaces that of `skus` when it is a file (columns as `parse_catalogue` gives them), `costs` what its
    articles cost (`parse_costs`), `bundles` its bundles (`parse_bundles`); `maps` are the files that its map names
    (`parse_map`), by name; `blacklist` is the file that `audit` names (`parse_blacklist`).
    """

    skus: SkusSection = field(default_factory=SkusSection)
    audit: AuditSection = field(default_factory=AuditSection)
    catalogue: pl.DataFrame | None = None
    bundles: pl.DataFrame | None = None
    maps: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    notes: NoteReader = field(default_factory=lambda: NoteReader(NotesSection()))
    costs: pl.DataFrame | None = None
    blacklist: pl.DataFrame | None = None

    def articles(self) -> pl.DataFrame:
        """Give the catalogue as a table. Raises: ValueError if it is a file that was not read, which is a bug."""
        if self.catalogue is not None:
            return self.catalogue
        if isinstance(self.skus.catalogue, str):
            raise ValueError(f"the catalogue {self.skus.catalogue} was not read")
        return catalogue_frame(self.skus.catalogue)

    @cached_property
    def known_costs(self) -> pl.DataFrame:
        """Give what articles cost, as a table with the columns COSTS."""
        if self.costs is not None or isinstance(self.skus.catalogue, str):
            return costs_frame([]) if self.costs is None else self.costs
        return costs_frame(self.skus.catalogue)

    @cached_property
    def known(self) -> Articles:
        """All that is known of articles, ready to be looked up. Raises: ValueError for a file that was not read."""
        bundles = self.bundles
        if bundles is None:
            if isinstance(self.skus.bundles, str):
                raise ValueError(f"the bundles {self.skus.bundles} were not read")
            bundles = bundles_frame(self.skus.bundles)
        tables = [table for _, table in self.map_tables()]
        return Articles(
            SkuMap.of(tables), self.articles(), bundles, self.skus.cut, self.skus.merchant_code_is_sku
        )

    def map_tables(self) -> list[tuple[str | None, pl.DataFrame]]:
        """Give the map as tables in its order, each with its file's name, None for entries of the rules themselves."""
        return [
            (name, self.maps[name] if name else entries_frame(list(entries)))
            for name, entries in groupby(self.skus.entries, key=lambda entry: entry.file)
        ]


def normalize(orders: pl.DataFrame, rules: NormalizeRules, facts: Facts, now: str) -> pl.DataFrame:
    """Give `orders` with SKUs, canonical recipients, quantities to ship and the findings of the audit.

    Args:
        orders: a batch `order/1` that holds what the platform tells.
        rules: SKU map, catalogue and strictness.
        facts: its `decisions` force findings, say SKUs and list whom not to deliver to, its `commitments` tell which
            lines are on their way, its `key` keys the hashes of people, `seen` is what `fetch` noticed over time.
        now: the instant (RFC 3339, UTC) that ends holds and promises.
    """
    orders = orders.rechunk()  # what is read in small pieces would be slow in every step
    numbered = orders.with_row_index("row")
    lines = numbered.filter(pl.col("lines").list.len() > 0).select(
        "row", "order_id", "platform", "shop", "status", "currency", pl.col("lines").alias("line")
    )
    lines = lines.explode("line").unnest("line").with_columns(quantity_to_ship=_quantity_to_ship())
    lines = map_skus(lines, rules.known, facts.decisions)
    gathered = _gathered(with_costs(lines, rules.known_costs), line_figures(rules.audit))
    known = numbered.drop("lines").join(gathered, on="row", how="left", maintain_order="left")
    recut = made_otherwise(lines, facts.commitments)
    known = known.join(recut, on="row", how="left", maintain_order="left")
    beyond = known_of_orders(facts, rules.audit)
    known = known.join(beyond, on="order_id", how="left", maintain_order="left")
    recipients, findings = canonical_recipients(orders, facts.key)
    known = known.with_columns(
        *read_notes(orders, rules.notes),
        recipients,
        pl.col("lines").fill_null([]),
        pl.col("live").fill_null(False),
    )
    if "blacklisted" not in rules.audit.off:
        known = with_listed(known, blacklist_of(facts.decisions, rules.blacklist), facts.key)
    known = known.with_columns(audited(known, rules.audit, now))
    known = known.with_columns(address_problems(known, findings, rules.audit.severity))
    return known.with_columns(with_risk(known, rules.audit)).select(ORDER.names())


def _quantity_to_ship() -> pl.Expr:
    """Give what is left of a line, at most what the platform says.

    Nothing is left of what is refunded, shipped, a service, or of an order that is over.
    """
    gone = pl.col("quantity_refunded").fill_null(0) + pl.col("quantity_shipped").fill_null(0)
    left = pl.min_horizontal((pl.col("quantity") - gone).clip(lower_bound=0), "quantity_to_ship").fill_null(0)
    goes = (
        pl.col("status").is_in(OPEN)
        & pl.col("refund").ne_missing(pl.lit("refunded"))
        & pl.col("kind").ne_missing(pl.lit("service"))
    )
    return pl.when(goes).then(left).otherwise(pl.lit(0, dtype=pl.Int64))


def _gathered(lines: pl.DataFrame, figures: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Give a row per order: its `lines` again, whether any is `live`, which are `unmapped` or `refunding`, and `figures`."""
    goes = pl.col("quantity_to_ship") > 0
    words = pl.concat_str("title", "spec", separator=" | ", ignore_nulls=True)
    words = pl.when(pl.col("title").is_not_null()).then(words)
    article = pl.coalesce("merchant_code", words, "platform_sku", "item_ref", "line_ref")
    gathered = lines.group_by("row", maintain_order=True).agg(
        lines=pl.struct(_LINE),
        live=goes.any(),
        unmapped=article.filter(goes & pl.col("sku").is_null()).unique(maintain_order=True),
        refunding=pl.col("line_ref").filter(goes & (pl.col("refund") == "requested")),
        **figures,
    )
    return gathered.with_columns(_named("unmapped"), _named("refunding"))


def _named(column: str) -> pl.Expr:
    """Write a list of texts as one, a long one cut; null when it is empty."""
    names, count = pl.col(column), pl.col(column).list.len()
    shown = names.list.head(NAMED_AT_MOST).list.join(", ") + pl.when(count > NAMED_AT_MOST).then(
        pl.lit(" ... ") + count.cast(pl.String)
    ).otherwise(pl.lit(""))
    return pl.when(count > 0).then(shown).alias(column)
