"""Tag rules: a rule that only adds a tag lets the next be asked, unless it says `stop`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from orderctl.stages.conditions.compiled import predicate
from orderctl.stages.rules.sections.tags import TagRule

ADDED = pl.List(pl.Struct({"rule": pl.String(), "tag": pl.String()}))


def tagged(facts: pl.DataFrame, rules: Sequence[TagRule]) -> tuple[pl.DataFrame, pl.Series]:
    """Give `facts` (with `tags`, when there are rules) with all tags that `rules` add, and what was added (dtype ADDED)."""
    nothing = pl.Series("added", [[]], dtype=ADDED).new_from_index(0, facts.height)
    if not rules:
        return facts, nothing
    parts = [
        pl.DataFrame(
            {"row": [], "rule": [], "tag": []}, {"row": pl.Int64, "rule": pl.String, "tag": pl.String}
        )
    ]
    for rule, before, now in judged(facts, rules):
        for tag in dict.fromkeys(rule.add):
            new = now & ~before["tags"].list.contains(tag)
            parts.append(before.filter(new).select("row", rule=pl.lit(rule.name), tag=pl.lit(tag)))
        facts = with_tags(before, now, rule)
    found = pl.concat(parts).group_by("row", maintain_order=True).agg(added=pl.struct("rule", "tag"))
    joined = facts.select("row").join(found, on="row", how="left", maintain_order="left")
    return facts, joined["added"].cast(ADDED).zip_with(joined["added"].is_not_null(), nothing)


def judged(
    facts: pl.DataFrame, rules: Sequence[TagRule]
) -> Iterator[tuple[TagRule, pl.DataFrame, pl.Series]]:
    """Give every rule with the facts it looks at, and for which rows it is asked and true."""
    asked = pl.Series("now", [True]).new_from_index(0, facts.height)
    for rule in rules:
        true = facts.select("row", now=predicate(rule.when).fill_null(False))["now"]
        now = asked & true
        yield rule, facts, now
        facts = with_tags(facts, now, rule)
        if rule.stop:
            asked = asked & ~now


def with_tags(facts: pl.DataFrame, now: pl.Series, rule: TagRule) -> pl.DataFrame:
    """Give `facts` with the tags of `rule` in the rows that `now` names."""
    more = pl.concat_list("tags", pl.lit(pl.Series([list(rule.add)]))).list.unique(maintain_order=True)
    return facts.with_columns(pl.when(now).then(more).otherwise("tags").alias("tags"))
