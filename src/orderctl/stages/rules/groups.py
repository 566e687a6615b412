"""Groups of rules: rules with a condition in common. They are taken apart when the file is read.

What is left is a flat list of rules, each with both conditions and the name `group / rule`: a shipment that no rule of a
group takes is asked by the rules below it. Groups have no other meaning, so nothing after reading knows of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import yaml
from pydantic import Discriminator, Field, GetCoreSchemaHandler, Tag
from pydantic_core import CoreSchema, core_schema

from orderctl.model.yamlfile import Section
from orderctl.stages.conditions.tree import All, Condition

SEPARATOR = " / "
Loc = tuple[str | int, ...]


class Group(Section):
    """Rules with a condition in common; each section gives it its `when` and its `rules`."""

    group: str = Field(min_length=1, description="name of the group; its rules are called `group / rule`")


@dataclass(frozen=True)
class Grouped:
    """Marks a list of rules in which groups (of the model `group`) may stand; they are flattened when it is read."""

    group: type[Group]

    @property
    def members(self) -> tuple[Any, ...]:
        """Give what may be written besides what the annotation says."""
        return (list[self.group],)  # type: ignore[name-defined]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read rules and groups alike, and give rules."""
        rule: Any
        (rule,) = source.__args__
        group: Any = self.group
        # the names of the members stand in brackets, so that no key of a file is taken for one
        either: Any = Annotated[
            Annotated[rule, Tag("(rule)")] | Annotated[group, Tag("(group)")], Discriminator(_which)
        ]
        inner = handler.generate_schema(list[either])
        return core_schema.no_info_after_validator_function(flattened, inner)


def _which(value: Any) -> str:
    return (
        "(group)" if isinstance(value, Group) or (isinstance(value, dict) and "group" in value) else "(rule)"
    )


def flattened(items: Sequence[Any]) -> list[Any]:
    """Give the rules of `items` in their order, those of groups with both names and both conditions."""
    return [rule for item in items for rule in (_taken_apart(item) if isinstance(item, Group) else (item,))]


def _taken_apart(group: Any) -> Iterator[Any]:
    for rule in group.rules:
        name = f"{group.group}{SEPARATOR}{rule.name}"
        yield rule.model_copy(update={"name": name, "when": both(group.when, rule.when)})


def both(one: Condition | None, other: Condition | None) -> Condition | None:
    """Give the condition that is true where both are; None always is."""
    if one is None or other is None:
        return one or other
    return All((*_parts(one), *_parts(other)))


def _parts(condition: Condition) -> tuple[Condition, ...]:
    return condition.parts if isinstance(condition, All) else (condition,)


def written_at(section: yaml.Node | None) -> list[Loc]:
    """Give for each rule of a section, flattened, where it stands in the section: (3,), or (4, "rules", 0) in a group."""
    found: list[Loc] = []
    for at, item in enumerate(section.value if isinstance(section, yaml.SequenceNode) else ()):
        keys = {k.value: v for k, v in item.value} if isinstance(item, yaml.MappingNode) else {}
        inside = keys.get("rules")
        if "group" in keys and isinstance(inside, yaml.SequenceNode):
            found += [(at, "rules", number) for number in range(len(inside.value))]
        else:
            found.append((at,))
    return found
