"""Every sentence the program can say: the literals of `Text(...)`, the help of commands and options."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import orderctl
from orderctl.cli.table import COMMANDS

SOURCE = Path(orderctl.__file__).parent


def texts() -> Iterator[tuple[str, str]]:
    """Give (place, template) of every `Text("...")` in the source."""
    for path in sorted(SOURCE.rglob("*.py")):
        if "sandbox" in path.parts or "zh" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "Text"
                and node.args
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield f"{path.relative_to(SOURCE)}:{node.lineno}", first.value


def helps() -> Iterator[tuple[str, str]]:
    """Give (place, sentence) of the help of every command and option, paragraph by paragraph."""
    for path in sorted((SOURCE / "cli").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "help" and isinstance(node.value, ast.Constant):
                yield f"{path.relative_to(SOURCE)}:{node.value.lineno}", str(node.value.value)
    for name, command in COMMANDS.items():
        module = import_module(command.module)
        yield name, command.help
        for body in getattr(module, "SUBCOMMANDS", {"": getattr(module, "run", None)}).values():
            for paragraph in (body.__doc__ or "").split("\n\n"):
                yield name, " ".join(paragraph.split())
