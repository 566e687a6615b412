"""YAML files that people write: read into pydantic models, every mistake named with file, line and column.

Scalars follow the core schema of YAML 1.2, so `NO` is the country Norway, `0123` and `12:30` stay text, and a date
is text. Numbers with a point become `Decimal`: no price is ever a float. All findings of a file come at once, in
the order of its lines.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, NoReturn, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text

Loc = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

_CORE = "tag:yaml.org,2002:"
_MAX_NODES = 2_000_000  # aliases may repeat; a file that unfolds to more than this is an attack
_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):  # type: ignore[misc]  # libyaml when it is there: ten times faster
    """Composes nodes and resolves nothing but the core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


_Loader.add_implicit_resolver(_CORE + "null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(
    _CORE + "bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(_CORE + "int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver(
    _CORE + "float", re.compile(r"^-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?$"), list("-0123456789")
)


class Section(BaseModel):
    """Base of everything written in YAML: unknown fields are mistakes; a number may stand for a text."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, coerce_numbers_to_str=True)


@dataclass(frozen=True, order=True)
class Finding:
    """One mistake at one place (line and column count from 1)."""

    line: int
    column: int
    text: Text = field(compare=False)
    hint: Text | None = field(default=None, compare=False)


@dataclass
class _Reading:
    """What one pass over the nodes collects: findings, and how many nodes were seen."""

    findings: list[Finding] = field(default_factory=list)
    seen: int = 0

    def add(self, node: yaml.Node, text: Text) -> None:
        line, column = mark(node)
        self.findings.append(Finding(line, column, text))


def mark(node: yaml.Node) -> tuple[int, int]:
    """Give line and column of `node`, from 1."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def compose(text: str, source: str) -> yaml.Node | None:
    """Read `text` as one YAML document of nodes; None when it is empty. Raises: ConfigError if it is no YAML."""
    try:
        found: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        line, column = (at.line + 1, at.column + 1) if at else (1, 1)
        reason = Text("this is no YAML: {problem}", problem=error.problem or error.context or "?")
        raise config_error(source, [Finding(line, column, reason)]) from None
    except (yaml.YAMLError, RecursionError) as error:
        reason = Text("this is no YAML: {problem}", problem=type(error).__name__)
        raise config_error(source, [Finding(1, 1, reason)]) from None
    return found


def _scalar(node: yaml.ScalarNode, reading: _Reading) -> Any:
    tag, text = str(node.tag), str(node.value)
    if tag == _CORE + "str":
        return text
    if tag in (_CORE + "null", _CORE + "bool") and text in _CONSTANTS:
        return _CONSTANTS[text]
    try:
        if tag == _CORE + "int":
            return int(text)
        if tag == _CORE + "float":
            return Decimal(text)
    except (ValueError, ArithmeticError):
        pass
    reading.add(node, Text("the tag {tag} is not understood here", tag=tag))
    return text


def _mapping(node: yaml.MappingNode, reading: _Reading, above: tuple[int, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    first: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            reading.add(key, Text("a key must be one word"))
            continue
        name = str(key.value)
        if name in found:
            reading.add(
                key, Text("'{field}' is written twice; first in line {line}", field=name, line=first[name])
            )
            continue
        first[name] = mark(key)[0]
        found[name] = _plain(value, reading, above)
    return found


def _plain(node: yaml.Node, reading: _Reading, above: tuple[int, ...] = ()) -> Any:
    """Give the data of `node`; keys are the text as written, numbers with a point are Decimal."""
    reading.seen += 1
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, reading)
    if id(node) in above or reading.seen > _MAX_NODES:
        reading.add(node, Text("this alias never ends"))
        return None
    inside = (*above, id(node))
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, reading, inside)
    return [_plain(item, reading, inside) for item in node.value]


def locate(node: yaml.Node | None, loc: Iterable[str | int], *, key: bool = False) -> tuple[int, int]:
    """Give line and column (from 1) of the value at `loc`, or of its key; of the nearest node above it if it is absent."""
    if node is None:
        return 1, 1
    at: yaml.Node = node
    where = mark(node)
    for part in loc:
        if isinstance(at, yaml.MappingNode):
            pair = next((p for p in at.value if p[0].value == str(part)), None)
            if pair is None:
                continue  # a name pydantic put in, such as the member of a union
            where, at = mark(pair[0] if key else pair[1]), pair[1]
        elif isinstance(at, yaml.SequenceNode) and isinstance(part, int) and part < len(at.value):
            at = at.value[part]
            where = mark(at)
    return where


def child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    """Give what stands under the key `name` of a mapping, or None."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def nearest(word: str, known: Iterable[str]) -> Text | None:
    """Give "did you mean" with the word of `known` most like `word`, or None when nothing is like it."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if not close:
        close = [n for n in names if n.lower() == word.lower()]
    return Text("did you mean '{word}'?", word=close[0]) if close else None


@dataclass(frozen=True)
class Wrong:
    """A mistake a model's own validator found: the sentence, where below the value, and whether the key is meant."""

    text: Text
    hint: Text | None = None
    loc: Loc = ()
    at_key: bool = False


def reject(*found: Wrong) -> NoReturn:
    """Raise `found` out of a pydantic validator, so that `load_validated` can place each of them."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("wrong", "{text}", {"text": str(w.text), "wrong": w}),
            loc=w.loc,
            input=None,
        )
        for w in found
    ]
    raise ValidationError.from_exception_data("rules", details)


_EXPECTED = {
    "int": Text("expected a whole number"),
    "decimal": Text("expected a number"),
    "float": Text("expected a number"),
    "string": Text("expected text"),
    "bool": Text("expected true or false"),
    "list": Text("expected a list"),
    "tuple": Text("expected a list"),
    "dict": Text("expected fields with values"),
    "model": Text("expected fields with values"),
}
_LIMITS = {
    "greater_than": ("must be more than {limit}", "gt"),
    "greater_than_equal": ("must not be less than {limit}", "ge"),
    "less_than": ("must be less than {limit}", "lt"),
    "less_than_equal": ("must not be more than {limit}", "le"),
    "decimal_max_places": ("at most {limit} digits after the point", "decimal_places"),
    "decimal_max_digits": ("at most {limit} digits", "max_digits"),
    "string_pattern_mismatch": ("must have the form {limit}", "pattern"),
}
_EMPTY = Text("must not be empty")


def _inner(annotation: Any) -> Iterable[Any]:
    """Give the types an annotation may stand for, without Annotated and unions."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _inner(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _inner(member)
    else:
        yield annotation


def _members(field: FieldInfo) -> Iterable[Any]:
    """Give the types that may be written in a field: those of its annotation, and those its marks add (`members`)."""
    yield from _inner(field.annotation)
    for mark in field.metadata:
        yield from getattr(mark, "members", ())


def _names_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Give the field names allowed at `loc` of `model`; none when it cannot be told."""
    here: list[Any] = [model]
    for part in loc:
        if isinstance(part, str) and part.startswith("("):
            continue  # the name of a member of a union
        below: list[Any] = []
        for kind in here:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found = next((f for n, f in kind.model_fields.items() if part in (n, f.alias)), None)
                below += _members(found) if found else []
            elif get_origin(kind) in (list, dict, tuple):
                below += _inner(get_args(kind)[-1 if get_origin(kind) is dict else 0])
        here = below
    models = [k for k in here if isinstance(k, type) and issubclass(k, BaseModel)]
    return [f.alias or name for m in models for name, f in m.model_fields.items()]


def _explained(error: Mapping[str, Any], model: type[BaseModel]) -> Wrong:
    kind, loc, context = str(error["type"]), error["loc"], error.get("ctx", {})
    last = str(loc[-1]) if loc else ""
    own = context.get("wrong")
    if isinstance(own, Wrong):
        return own
    if kind == "extra_forbidden":
        names = _names_at(model, loc[:-1])
        return Wrong(Text("unknown field '{field}'", field=last), nearest(last, names), at_key=True)
    if kind == "missing":
        return Wrong(Text("'{field}' is missing", field=last))
    if kind in ("literal_error", "enum"):
        allowed, given = str(context["expected"]), str(error["input"])
        words = re.findall(r"'([^']*)'", allowed)
        return Wrong(
            Text("'{value}' is none of {allowed}", value=given, allowed=", ".join(words)),
            nearest(given, words),
        )
    if kind in _LIMITS:
        template, name = _LIMITS[kind]
        return Wrong(Text(template, limit=context[name]))
    if kind in ("too_short", "string_too_short"):
        return Wrong(_EMPTY)
    expected = _EXPECTED.get(kind.split("_", maxsplit=1)[0])
    return Wrong(expected or Text("{message}", message=str(error["msg"]).removeprefix("Value error, ")))


def config_error(source: str, findings: Sequence[Finding]) -> ConfigError:
    """Give one error that lists every finding as `source:line:column: what`, one a line."""
    shown: dict[str, object] = {}
    for number, f in enumerate(sorted(findings)):
        place = {"source": source, "line": f.line, "column": f.column, "text": f.text}
        shown[f"f{number}"] = (
            Text("{source}:{line}:{column}: {text} ({hint})", **place, hint=f.hint)
            if f.hint
            else Text("{source}:{line}:{column}: {text}", **place)
        )
    return ConfigError(Text("\n".join("{" + name + "}" for name in shown), **shown))


def _no_context(_: Any) -> Mapping[str, Any]:
    return {}


def load_with_nodes(
    text: str, source: str, model: type[Model], *, context: Callable[[Any], Mapping[str, Any]] = _no_context
) -> tuple[Model, yaml.Node | None]:
    """Read `text` into `model` and give it with its nodes, for `locate`.

    Args:
        context: what the model's validators are told, made from the plain data before it is validated.

    Raises: ConfigError listing every finding with file, line and column.
    """
    node = compose(text, source)
    reading = _Reading()
    data = {} if node is None else _plain(node, reading)
    if data is None:
        data = {}  # a file with nothing but comments and `---`
    findings = reading.findings
    try:
        loaded = model.model_validate(data, context=dict(context(data)))
    except ValidationError as error:
        for found in error.errors(include_url=False):
            wrong = _explained(dict(found), model)
            line, column = locate(node, found["loc"], key=wrong.at_key)
            findings.append(Finding(line, column, wrong.text, wrong.hint))
        raise config_error(source, findings) from None
    if findings:
        raise config_error(source, findings)
    return loaded, node


def load_validated(text: str, source: str, model: type[Model]) -> Model:
    """Read `text` into `model`. Raises: ConfigError listing every finding with file, line and column."""
    return load_with_nodes(text, source, model)[0]
