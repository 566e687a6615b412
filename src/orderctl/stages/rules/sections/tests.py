"""The section `tests` of the rules: examples with the decision they must get."""

from __future__ import annotations

from typing import Any

from pydantic import Field, JsonValue, field_validator, model_validator

from orderctl.model.text import Text
from orderctl.model.yamlfile import Section, Wrong, nearest, reject
from orderctl.stages.conditions.facts import DTYPES, FACTS, LINE_FACTS, Kind

_GIVABLE = {name: fact.kind for name, fact in FACTS.items() if fact.known == "merge"}
_TYPES: dict[Kind, tuple[type, ...]] = {"whole": (int,), "flag": (bool,), "texts": (list,)}


class Expectation(Section):
    """What must come out; only the fields that are written are compared."""

    warehouse: str | None = Field(None, description="the warehouse")
    courier: str | None = Field(None, description="the courier")
    service: str | None = Field(None, description="the service")
    template: str | None = Field(None, description="the label template")
    tariff: str | None = Field(None, description="the tariff")
    freight_minor: int | None = Field(None, description="the estimate in minor units")
    hold: str | None = Field(None, description="name of the hold rule that applies")
    rule: str | None = Field(None, description="name of the courier rule that decides")
    wishes: list[str] | None = Field(
        None, description="what the notes ask for: `courier SF`, `not courier YTO`, `ship_by 2026-12-05`"
    )
    tags: list[str] | None = Field(None, description="the tags the notes give, and those given")
    gifts: dict[str, int] | None = Field(
        None,
        description="all gifts, pieces by SKU: `{SK-WHT: 1}`, or `{}` for none; as if nobody had any before",
    )
    doubted: str | None = Field(None, description="name of the first courier rule that could not be judged")


class Case(Section):
    """One example."""

    name: str = Field(min_length=1, description="what it shows")
    given: dict[str, JsonValue] = Field(
        description="facts with their values, and `lines`; all others are missing"
    )
    expect: Expectation = Field(description="what must come out; null expects nothing there")

    @field_validator("given", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        wrongs = []
        for name, given in value.items() if isinstance(value, dict) else ():
            if name == "lines":
                wrongs += _line_wrongs(given)
            elif name not in _GIVABLE:
                wrongs.append(
                    Wrong(
                        Text("unknown fact '{fact}'", fact=name),
                        nearest(name, [*_GIVABLE, "lines"]),
                        (name,),
                        True,
                    )
                )
            elif not _fits(_GIVABLE[name], given):
                wrongs.append(
                    Wrong(Text("the value does not fit the fact '{fact}'", fact=name), None, (name,))
                )
        if wrongs:
            reject(*wrongs)
        return value

    @model_validator(mode="after")
    def _expects(self) -> Case:
        if not self.expect.model_fields_set:
            reject(Wrong(Text("the example expects nothing"), loc=("expect",)))
        return self


def _fits(kind: Kind, value: Any) -> bool:
    if kind == "texts":
        return isinstance(value, list) and all(isinstance(v, str | int) for v in value)
    wanted = _TYPES.get(kind, (str, int))
    return isinstance(value, wanted) and (kind == "flag") == isinstance(value, bool)


def _line_wrongs(lines: Any) -> list[Wrong]:
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        return [Wrong(Text("expected a list of lines"), None, ("lines",))]
    found = []
    for number, line in enumerate(lines):
        for name, value in line.items():
            at = ("lines", number, name)
            if name not in LINE_FACTS or name == "weight_g":
                found.append(
                    Wrong(Text("unknown fact '{fact}'", fact=name), nearest(name, LINE_FACTS), at, True)
                )
            elif not _fits(LINE_FACTS[name].kind, value):
                found.append(Wrong(Text("the value does not fit the fact '{fact}'", fact=name), None, at))
    return found


LINE_FIELDS = {"trait": "goods_traits"}
GIVEN_DTYPES = {name: DTYPES[kind] for name, kind in _GIVABLE.items()}
