"""From facts to decisions: warehouse, courier, label template, holds and tariff of every row, each with its reason.

The one place that knows the order of the steps; what it needs is a facts frame, so a batch and an example written
in the rules go the same way. What is bound already (an act has begun, or a person said so) is never judged again.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from orderctl.stages.rules.compiled import facts_needed, missing_facts
from orderctl.stages.rules.conditions import Condition
from orderctl.stages.rules.facts_table import Moment
from orderctl.stages.rules.freight import price_parcels
from orderctl.stages.rules.match import first_match
from orderctl.stages.rules.parse import RuleBook
from orderctl.stages.rules.reach import FACTS as PLACE_FACTS
from orderctl.stages.rules.reach import hits
from orderctl.stages.rules.sections.couriers import CourierRule
from orderctl.stages.rules.sections.holds import HoldRule
from orderctl.stages.rules.sections.reach import WHERE
from orderctl.stages.rules.sections.templates import TemplateRule
from orderctl.stages.rules.sections.warehouses import WarehouseRule
from orderctl.stages.rules.tagging import tagged

Rule = WarehouseRule | CourierRule | TemplateRule | HoldRule

BOUND = pl.Schema(
    {
        "row": pl.Int64(),
        "warehouse": pl.String(),
        "courier": pl.String(),
        "service": pl.String(),
        "account": pl.String(),
        "issuer": pl.String(),
        "warehouse_how": pl.String(),
        "courier_how": pl.String(),
    }
)
_USE = ("courier", "service", "account", "issuer", "template", "tariff_id")
_TARIFF_FACTS = ("district", "city", "province", "country", "currency", "insured_minor", "collect_minor")
_CHOSEN = ("warehouse", "courier", "service")


def needed(book: RuleBook) -> set[str]:
    """Give the names of the facts that must be in the facts frame given to `choose`."""
    rules: list[Rule] = [
        *book.rules.warehouses,
        *book.rules.couriers,
        *book.rules.templates,
        *book.rules.holds,
    ]
    places = PLACE_FACTS if book.tables.not_served.height else ()
    tags = {"tags", *facts_needed(rule.when for rule in book.rules.tags)} if book.rules.tags else set()
    return (facts_needed(rule.when for rule in rules) | {*_TARIFF_FACTS, *places} | tags) - set(_CHOSEN)


def choose(
    facts: pl.DataFrame, bound: pl.DataFrame, parcels: pl.DataFrame, book: RuleBook, moment: Moment
) -> pl.DataFrame:
    """Decide every row of `facts`.

    Args:
        facts: a facts frame with the facts `needed(book)` and `row`, ascending.
        bound: columns BOUND, one row for each row that is bound in something; `..._how` is committed or pinned.
        parcels: columns `freight.PARCEL`, at least one for each row.

    Returns: one row for each of `facts`: `row`, what was chosen, and for each step s of warehouse, courier, template
        and hold: `s_rule` (name), `s_reason`, `s_doubt` (name of the first rule that could not be judged) and
        `s_lacks` (the facts it lacked); `courier_refused`: the couriers that do not deliver there, each with why; `tags_added`: the
        tags that rules give, a list of rule and tag; for the tariff `tariff_reason, zone_id, billed_g, parcel_count`.
    """
    facts, added = tagged(facts, book.rules.tags)
    rows = facts.select("row").join(bound, on="row", how="left", maintain_order="left")
    rows = _warehouses(rows, facts, book.rules.warehouses)
    facts = facts.with_columns(rows["warehouse"])
    rows = _couriers(rows, facts, book.rules.couriers, refusals(facts, book, moment))
    facts = facts.with_columns(rows["courier"], rows["service"])
    rows = _templates(rows, facts, book.rules.templates)
    rows = rows.join(judge(facts, book.rules.holds, "hold"), on="row", how="left", maintain_order="left")
    why = [rule.why or rule.name for rule in book.rules.holds]
    hold = _of(why, "hold_fired")
    rows = rows.with_columns(
        hold.alias("hold"), pl.when(hold.is_not_null()).then(pl.lit("rule")).alias("hold_reason")
    )
    return _freight(rows, facts, parcels, book, moment).with_columns(added.alias("tags_added"))


def judge(facts: pl.DataFrame, rules: Sequence[Rule], step: str) -> pl.DataFrame:
    """Give [row, step_fired, step_rule, step_doubt, step_lacks] for every row of `facts`."""
    conditions = [rule.when for rule in rules]
    names = [rule.name for rule in rules]
    found = first_match(facts, conditions)
    found = found.join(_lacks(facts, found, conditions), on="row", how="left", maintain_order="left")
    return found.select(
        "row",
        pl.col("fired").alias(f"{step}_fired"),
        _of(names, "fired").alias(f"{step}_rule"),
        _of(names, "doubted").alias(f"{step}_doubt"),
        pl.col("lacks").alias(f"{step}_lacks"),
    )


def _of(values: Sequence[str | None], number: str) -> pl.Expr:
    """Give the value each number stands for."""
    return pl.col(number).replace_strict(dict(enumerate(values)), default=None, return_dtype=pl.String)


def _lacks(facts: pl.DataFrame, found: pl.DataFrame, conditions: Sequence[Condition | None]) -> pl.DataFrame:
    """Name the facts that kept rules from being judged; few rows have such, so each rule looks at its own."""
    doubtful = found.filter(pl.col("doubted").is_not_null()).select("row", "doubted")
    empty = pl.DataFrame(schema={"row": pl.Int64(), "lacks": pl.String()})
    parts = [
        part.select("row").join(facts, on="row").select("row", lacks=missing_facts(conditions[int(number)]))
        for (number,), part in doubtful.partition_by("doubted", as_dict=True).items()
    ]
    return pl.concat([empty, *parts])


def _free(facts: pl.DataFrame, rows: pl.DataFrame, column: str) -> pl.DataFrame:
    return facts.filter(rows[column].is_null())


def _reason(step: str, how: str) -> pl.Expr:
    fired = pl.when(pl.col(f"{step}_fired").is_not_null()).then(pl.lit("rule")).otherwise(pl.lit("no_match"))
    return pl.coalesce(how, fired).alias(f"{step}_reason")


def _warehouses(rows: pl.DataFrame, facts: pl.DataFrame, rules: Sequence[WarehouseRule]) -> pl.DataFrame:
    """Bound, else by the rules; without any rule a shipment needs no warehouse."""
    found = rows.join(
        judge(_free(facts, rows, "warehouse"), rules, "warehouse"),
        on="row",
        how="left",
        maintain_order="left",
    )
    by_rule = _of([rule.use for rule in rules], "warehouse_fired")
    reason = (
        _reason("warehouse", "warehouse_how") if rules else pl.col("warehouse_how").alias("warehouse_reason")
    )
    return found.with_columns(pl.coalesce("warehouse", by_rule).alias("warehouse"), reason)


def uses(rules: Sequence[CourierRule]) -> pl.DataFrame:
    """Give what every courier rule decides, in the order its couriers are asked: [courier_fired, rank, courier, ...]."""
    rows = [
        (n, rank, u.courier, u.service, u.account, u.issuer, u.template, u.tariff)
        for n, rule in enumerate(rules)
        for rank, u in enumerate(rule.chain)
    ]
    schema = {"courier_fired": pl.Int32(), "rank": pl.Int64(), **dict.fromkeys(_USE, pl.String())}
    return pl.DataFrame(rows, schema=schema, orient="row")


def refusals(facts: pl.DataFrame, book: RuleBook, moment: Moment) -> pl.DataFrame:
    """Give [row, courier, of_service, said] for every courier that does not deliver a row; `of_service` null: none does."""
    if not book.tables.not_served.height:
        schema = {"row": pl.Int64, "courier": pl.String, "of_service": pl.String, "said": pl.String}
        return pl.DataFrame(schema=schema)
    found = hits(facts, book.tables.not_served, moment)
    where = pl.concat_str(["why", *WHERE], separator=" ", ignore_nulls=True)
    said = pl.format("{}: {} ({})", "courier", pl.coalesce("why", where), "place")
    return found.select("row", "courier", of_service="service", said=said)


def _refused(candidates: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """Give [row, rank, said] for those of `candidates` (row, rank, courier, service) that do not deliver."""
    met = candidates.join(refused, on=["row", "courier"], maintain_order="left_right")
    same = pl.col("of_service").is_null() | (pl.col("of_service") == pl.col("service")).fill_null(False)
    return (
        met.filter(same)
        .unique(["row", "rank"], keep="first", maintain_order=True)
        .select("row", "rank", "said")
    )


def _delivering(fired: pl.DataFrame, table: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """Give for each row the first courier of its rule that delivers: [row, rank, courier, ..., courier_refused].

    A row that none of them delivers has only what `courier_refused` says.
    """
    asked = fired.join(table, on="courier_fired", maintain_order="left").drop("courier_fired")
    no = _refused(asked, refused)
    good = asked.join(no, on=["row", "rank"], how="anti", maintain_order="left")
    good = good.unique("row", keep="first", maintain_order=True)
    before = no.join(good.select("row", best="rank"), on="row", how="left", maintain_order="left")
    passed = before.filter((pl.col("rank") < pl.col("best")).fill_null(True))
    told = passed.sort("row", "rank").group_by("row").agg(courier_refused=pl.col("said").str.join("; "))
    return good.join(told, on="row", how="full", coalesce=True)


def _couriers(
    rows: pl.DataFrame, facts: pl.DataFrame, rules: Sequence[CourierRule], refused: pl.DataFrame
) -> pl.DataFrame:
    """Bound, else by the rules. What a bound courier lacks comes from the first rule that uses it.

    A pinned courier takes account and issuer from there too, and service if the pin names none; a committed one
    keeps exactly what was committed, and takes only label template and tariff.
    """
    table = uses(rules)
    judged = judge(_free(facts, rows, "courier"), rules, "courier")
    found = rows.join(judged, on="row", how="left", maintain_order="left")
    fired = judged.select("row", "courier_fired").filter(pl.col("courier_fired").is_not_null())
    delivering = _delivering(fired, table, refused)
    found = found.join(delivering, on="row", how="left", maintain_order="left", suffix="_rule_")
    table = table.drop("courier_fired", "rank")
    first = table.unique("courier", keep="first", maintain_order=True)
    exact = table.unique(["courier", "service"], keep="first", maintain_order=True)
    found = found.join(first, on="courier", how="left", maintain_order="left", suffix="_first")
    found = found.with_columns(
        pl.when(pl.col("courier_how") == "pinned")
        .then(pl.coalesce("service", "service_first"))
        .otherwise("service")
        .alias("service")
    ).join(
        exact, on=["courier", "service"], how="left", nulls_equal=True, maintain_order="left", suffix="_exact"
    )
    pinned = pl.col("courier_how") == "pinned"
    exprs = {
        "courier": pl.coalesce("courier", "courier_rule_"),
        "service": pl.when(pl.col("courier_how").is_null()).then("service_rule_").otherwise("service"),
    }
    for name in ("account", "issuer"):
        filled = pl.when(pinned).then(pl.coalesce(name, f"{name}_exact", f"{name}_first")).otherwise(name)
        exprs[name] = pl.when(pl.col("courier_how").is_null()).then(f"{name}_rule_").otherwise(filled)
    for name in ("template", "tariff_id"):
        like = pl.coalesce(f"{name}_exact", f"{name}_first")
        exprs[name] = pl.when(pl.col("courier_how").is_null()).then(name).otherwise(like)
    found = found.with_columns(_courier_reason(), **exprs)
    return _pins_refused(found, refused).select(
        *rows.columns, "courier_rule", "courier_doubt", "courier_lacks", "courier_reason", "courier_refused",
        "template", "tariff_id",
    )  # fmt: skip


def _courier_reason() -> pl.Expr:
    fired = (
        pl.when(pl.col("courier_fired").is_null())
        .then(pl.lit("no_match"))
        .when(pl.col("rank").is_null())
        .then(pl.lit("not_served"))
        .when(pl.col("rank") > 0)
        .then(pl.lit("fallback"))
        .otherwise(pl.lit("rule"))
    )
    return pl.coalesce("courier_how", fired).alias("courier_reason")


def _pins_refused(found: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """Say of a pinned courier, too, that it does not deliver; one that is committed has the parcel."""
    pinned = found.filter(pl.col("courier_how") == "pinned").select("row", "courier", "service", rank=0)
    said = _refused(pinned, refused).select("row", pin_refused="said")
    joined = found.join(said, on="row", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("courier_refused", "pin_refused").alias("courier_refused"))


def _templates(rows: pl.DataFrame, facts: pl.DataFrame, rules: Sequence[TemplateRule]) -> pl.DataFrame:
    """The template the courier rule names, else by the rules; without any rule the printing command decides."""
    judged = judge(_free(facts, rows, "template"), rules, "template")
    found = rows.join(judged, on="row", how="left", maintain_order="left")
    named = pl.when(pl.col("template").is_not_null()).then(pl.lit("courier_rule"))
    by_rule = pl.when(pl.col("template_fired").is_not_null()).then(pl.lit("rule"))
    return found.with_columns(
        pl.coalesce(named, by_rule).alias("template_reason"),
        pl.coalesce("template", _of([rule.use for rule in rules], "template_fired")).alias("template"),
    )


def parcel_prices(
    rows: pl.DataFrame, facts: pl.DataFrame, parcels: pl.DataFrame, book: RuleBook, moment: Moment
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give (rows with `tariff` and `zone`, priced parcels) for rows whose warehouse, courier and service are chosen."""
    prices = book.prices
    found = rows.select("row", "warehouse", "courier", "service", "tariff_id")
    found = found.join(facts.select("row", *_TARIFF_FACTS), on="row", maintain_order="left")
    found = prices.placed(found, moment)
    return found, price_parcels(found, parcels, prices, moment)


def _freight(
    rows: pl.DataFrame, facts: pl.DataFrame, parcels: pl.DataFrame, book: RuleBook, moment: Moment
) -> pl.DataFrame:
    """Estimate the freight of every row that has a courier, when the rules hold tariffs at all."""
    if not book.rules.tariffs:
        none = {
            "tariff_reason": pl.String,
            "zone_id": pl.String,
            "freight_currency": pl.String,
            "billed_g": pl.Int64,
        }
        nothing = [
            pl.lit(None, dtype=t).alias(n)
            for n, t in {**none, "parcel_count": pl.Int64, "freight_minor": pl.Int64}.items()
        ]
        return rows.with_columns(pl.lit(None, dtype=pl.String).alias("tariff_id"), *nothing)
    found, priced = parcel_prices(rows, facts, parcels, book, moment)
    divisor = pl.col("divisor")
    price = pl.when(pl.col("freight_minor").is_not_null().all()).then(pl.col("freight_minor").sum())
    totals = priced.group_by("row").agg(
        zone_id=pl.col("zone_id").first(),
        freight_currency=pl.col("currency_of_tariff").first(),
        billed_g=((pl.col("billed") + divisor - 1) // divisor).sum().cast(pl.Int64),
        parcel_count=pl.len().cast(pl.Int64),
        freight_minor=price,
    )
    judged = found.select("row", "tariff", "zone").join(totals, on="row", how="left", maintain_order="left")
    joined = rows.join(judged, on="row", how="left", maintain_order="left")
    named = pl.when(pl.col("tariff_id").is_not_null()).then(pl.lit("named")).otherwise(pl.lit("first"))
    reason = (
        pl.when(pl.col("courier").is_null())
        .then(None)
        .when(pl.col("tariff").is_null())
        .then(pl.lit("no_tariff"))
        .when(pl.col("zone").is_null())
        .then(pl.lit("no_zone"))
        .when(pl.col("freight_minor").is_null())
        .then(pl.lit("too_heavy"))
        .otherwise(named)
    )
    ids = [t.id for t in book.rules.tariffs]
    return joined.with_columns(
        reason.alias("tariff_reason"),
        _of(ids, "tariff").alias("tariff_id"),
        pl.when(pl.col("freight_minor").is_not_null()).then("freight_currency").alias("freight_currency"),
    ).drop("tariff", "zone")
