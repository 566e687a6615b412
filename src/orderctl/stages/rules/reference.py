"""The reference of `rules.yaml` as Markdown, from the models and tables themselves, so that it cannot be out of date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from orderctl.stages.conditions.facts import FACTS, LINE_FACTS, Fact, LineFact
from orderctl.stages.conditions.tree import COMBINERS, OPERATORS
from orderctl.stages.rules.book import Rules

Language = Literal["en", "zh"]
_WORDS: dict[str, tuple[str, str]] = {
    "fields": ("Fields of `{name}`", "`{name}` 的字段"),
    "field": ("field", "字段"),
    "kind": ("holds", "类型"),
    "default": ("default", "默认值"),
    "meaning": ("meaning", "含义"),
    "facts": ("Facts", "事实"),
    "line_facts": ("Facts of a line", "明细的事实"),
    "operators": ("Operators", "运算符"),
    "combiners": ("Combining conditions", "条件组合"),
    "known": ("known from", "何时可用"),
    "fits": ("fits", "适用于"),
    "required": ("required", "必填"),
}


def render_reference(language: Language = "en") -> str:
    """Give the reference: sections and fields, facts, operators, combinations, as Markdown."""
    parts = [*_models(language), *_facts(language), *_operators(language)]
    return "\n".join(parts) + "\n"


def _word(key: str, language: Language, **slots: str) -> str:
    return _WORDS[key][0 if language == "en" else 1].format(**slots)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


def _members(annotation: Any) -> Iterator[Any]:
    """Give the types an annotation is made of, containers opened."""
    if get_origin(annotation) in (Union, UnionType, list, dict, tuple):
        for inner in get_args(annotation):
            yield from _members(inner)
    elif get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    else:
        yield annotation


def _sections(
    model: type[BaseModel], path: str, seen: set[type[BaseModel]]
) -> Iterator[tuple[str, type[BaseModel]]]:
    """Give every model below `model` with the first path it is written at."""
    seen.add(model)
    yield path, model
    for name, field in model.model_fields.items():
        below = f"{path}.{field.alias or name}".lstrip(".")
        marked = [inner for mark in field.metadata for inner in getattr(mark, "members", ())]
        places = [(below, field.annotation), *((f"{below} (group)", inner) for inner in marked)]
        for place, found in ((place, one) for place, kind in places for one in _members(kind)):
            if isinstance(found, type) and issubclass(found, BaseModel) and found not in seen:
                yield from _sections(found, place, seen)


def _models(language: Language) -> Iterator[str]:
    for path, model in _sections(Rules, "", set()):
        yield f"## {_word('fields', language, name=path or 'rules.yaml')}"
        yield ""
        rows = [
            (f"`{f.alias or n}`", _kind(f), _default(f, language), f.description or "")
            for n, f in model.model_fields.items()
        ]
        yield from _table([_word(k, language) for k in ("field", "kind", "default", "meaning")], rows)


def _kind(field: FieldInfo) -> str:
    return _kind_of(field.annotation)


_NAMES = {"str": "text", "int": "whole number", "Decimal": "number", "bool": "true or false", "Any": "value"}


def _kind_of(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind_of(args[0])
    if origin is list:
        return f"list of {_kind_of(args[0])}"
    if origin is dict:
        return "fields with values"
    if origin is Literal:
        return ", ".join(str(a) for a in args)
    if origin in (Union, UnionType):
        kinds = dict.fromkeys(_kind_of(a) for a in args if a is not type(None))
        return "condition" if len(kinds) > 4 else " or ".join(kinds)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "fields"
    name = getattr(annotation, "__name__", str(annotation))
    return _NAMES.get(name, name)


def _default(field: FieldInfo, language: Language) -> str:
    if field.is_required():
        return _word("required", language)
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ([], {}) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, list):
        return "`[" + ", ".join(map(str, value)) + "]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _facts(language: Language) -> Iterator[str]:
    yield f"## {_word('facts', language)}"
    yield ""
    rows = [(f"`{n}`", f.kind, f.known, _said(f, language)) for n, f in FACTS.items()]
    yield from _table([_word(k, language) for k in ("field", "kind", "known", "meaning")], rows)
    yield f"## {_word('line_facts', language)}"
    yield ""
    lines = [(f"`{n}`", f.kind, _said(f, language)) for n, f in LINE_FACTS.items()]
    yield from _table([_word(k, language) for k in ("field", "kind", "meaning")], lines)


def _said(fact: Fact | LineFact, language: Language) -> str:
    return fact.en if language == "en" else fact.zh


def _operators(language: Language) -> Iterator[str]:
    yield f"## {_word('operators', language)}"
    yield ""
    rows = [
        (f"`{n}`", ", ".join(op.kinds), op.en if language == "en" else op.zh) for n, op in OPERATORS.items()
    ]
    yield from _table([_word(k, language) for k in ("field", "fits", "meaning")], rows)
    yield f"## {_word('combiners', language)}"
    yield ""
    combined: Mapping[str, tuple[str, str]] = COMBINERS
    found = [(f"`{n}`", both[0 if language == "en" else 1]) for n, both in combined.items()]
    yield from _table([_word(k, language) for k in ("field", "meaning")], found)
