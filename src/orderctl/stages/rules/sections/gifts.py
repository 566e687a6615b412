"""The section `gifts` of the rules: what is packed beside what was ordered, and how much of it there is to give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from orderctl.model.text import Text, visible
from orderctl.model.yamlfile import Section, Wrong, nearest, reject
from orderctl.stages.conditions.facts import LINE_FACTS
from orderctl.stages.conditions.parsing import parse_line_condition, parse_span
from orderctl.stages.conditions.tree import Condition
from orderctl.stages.rules.sections.warehouses import CONDITION, WhenMerged

MOST_PIECES = 1_000
MOST_KINDS = 20
SUMS = ("total_minor", *(name for name, fact in LINE_FACTS.items() if fact.kind == "whole"))
"""What `per` may count: the total of the shipment, or a whole-number fact added up over its lines."""


def _instant(*, last: bool) -> Callable[[Any, ValidationInfo], str]:
    def parse(value: Any, info: ValidationInfo) -> str:
        span = parse_span(value, info)
        return span[1] if last else span[0]

    return parse


_INSTANT = WithJsonSchema({"type": "string", "description": "a day, or an instant"})
First = Annotated[str | None, PlainValidator(_instant(last=False)), _INSTANT]
Last = Annotated[str | None, PlainValidator(_instant(last=True)), _INSTANT]
WhenLine = Annotated[Condition | None, PlainValidator(parse_line_condition), CONDITION]


class Give(Section):
    """One article that is given."""

    sku: str = Field(min_length=1, description="our code, as in the catalogue")
    quantity: int = Field(1, ge=1, le=MOST_PIECES, description="pieces of it, each time the rule gives")


class Per(Section):
    """How many times the rule gives: once for every `each` of what is counted."""

    each: int = Field(ge=1, description="so many make one time")
    of: str = Field(
        "quantity",
        description=f"what is counted: {', '.join(SUMS)}; all but the first are added up over lines",
    )
    where: WhenLine = Field(None, description="only lines for which this holds; not with total_minor")
    at_most: int | None = Field(None, ge=1, description="never more times than this in one shipment")

    @model_validator(mode="after")
    def _countable(self) -> Per:
        if self.of not in SUMS:
            allowed = ", ".join(SUMS)
            text = Text("'{value}' is none of {allowed}", value=self.of, allowed=allowed)
            reject(Wrong(text, nearest(self.of, SUMS), ("of",)))
        if self.of == "total_minor" and self.where is not None:
            reject(Wrong(Text("total_minor is of the whole shipment, not of lines"), None, ("where",)))
        return self


class GiftRule(Section):
    """One gift: for whom, what, and how often. Every rule that matches gives, but of a group only the first that can."""

    name: str = Field(
        min_length=1, description="how lists and counters call it; with another name it begins to count anew"
    )
    when: WhenMerged = Field(None, description="the condition; a rule without one always matches")
    give: list[Give] = Field(min_length=1, max_length=MOST_KINDS, description="what it gives")
    choose: Literal["all", "first_available", "random"] = Field(
        "all",
        description="give all of `give`, the first of which there is enough, or one drawn by lot among these"
        " (the same one in every run)",
    )
    per: Per | None = Field(None, description="give several times; else once for a shipment")
    group: str | None = Field(
        None, min_length=1, description="of the rules of one group only the first that can gives"
    )
    from_: First = Field(None, alias="from", description="first day (or instant) it gives")
    until: Last = Field(None, description="last day (or instant) it gives")
    dated_by: Literal["paid_at", "placed_at", "now"] = Field(
        "paid_at",
        description="what `from` and `until` are compared with: when one of the orders was paid (placed, if it is"
        " paid at the door), was placed, or the time of merging",
    )
    quota: int | None = Field(
        None, ge=0, description="so many times in all; what has a waybill counts for ever"
    )
    per_customer: int | None = Field(
        None, ge=1, description="so many times for one customer: the same buyer, or the same recipient"
    )
    stock_floor: int | None = Field(
        None, ge=0, description="leave so many pieces in stock, as the table `stock` says it"
    )
    only_if_complete: bool = Field(
        False, description="give nothing at all when quota, customer or stock leave less than the whole of it"
    )

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if ":" in value or visible(value) != value or not value.strip():
            reject(Wrong(Text("a name has characters that can be seen, and no colon")))
        return value

    @field_validator("give", mode="after")
    @classmethod
    def _once(cls, value: list[Give]) -> list[Give]:
        seen: set[str] = set()
        for at, one in enumerate(value):
            if one.sku in seen:
                reject(Wrong(Text("{sku} stands here twice", sku=one.sku), None, (at, "sku")))
            seen.add(one.sku)
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> GiftRule:
        if self.from_ and self.until and self.from_ > self.until:
            reject(Wrong(Text("it ends before it begins"), None, ("until",)))
        if self.choose == "first_available" and self.stock_floor is None:
            text = Text("first_available looks at the stock: say stock_floor, 0 to give the last one too")
            reject(Wrong(text, None, ("choose",)))
        return self


def without_twins(rules: list[GiftRule]) -> list[GiftRule]:
    """Give `rules` back. Raises: ValidationError if two have one name, by which gifts are counted."""
    seen: set[str] = set()
    for at, rule in enumerate(rules):
        if rule.name in seen:
            text = Text("another gift has the name '{name}', and gifts are counted by name", name=rule.name)
            reject(Wrong(text, None, (at, "name")))
        seen.add(rule.name)
    return rules
