"""Building and running one typer command.

A command module has `run(session, ...)` with a docstring, or `COMMANDS`, a table of subcommands. The common options
are added here, once, to every command. This is also the only place that catches every exception.
"""

from __future__ import annotations

import functools
import inspect
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any

import typer

from orderctl.cli import exits
from orderctl.cli.console import locale_of
from orderctl.cli.session import Session
from orderctl.cli.topics import COMMANDS, nearest
from orderctl.model.errors import OrderctlError
from orderctl.model.text import Text, sentences

ConfigOpt = Annotated[str | None, typer.Option("--config", metavar="FILE", help="Configuration file.")]
StateOpt = Annotated[
    str | None, typer.Option("--state", metavar="DIR", help="State directory with the ledger.")
]
NowOpt = Annotated[
    str | None,
    typer.Option("--now", metavar="INSTANT", help="The time to work at, such as 2026-11-24T05:30:28Z."),
]
LangOpt = Annotated[
    str | None, typer.Option("--lang", metavar="LANG", help="Language of messages: en or zh.")
]
VerboseOpt = Annotated[int, typer.Option("--verbose", "-v", count=True, help="Tell more; twice tells all.")]
LogOpt = Annotated[
    str,
    typer.Option("--log-format", metavar="FORMAT", help="Messages as text or as json, one object a line."),
]
DebugOpt = Annotated[bool, typer.Option("--debug", help="Show the traceback of a failure.")]
_COMMON: dict[str, tuple[Any, Any]] = {
    "config_path": (ConfigOpt, None),
    "state_path": (StateOpt, None),
    "asked_now": (NowOpt, None),
    "lang": (LangOpt, None),
    "verbose": (VerboseOpt, 0),
    "log_format": (LogOpt, "text"),
    "debug": (DebugOpt, False),
}


def _with_session(name: str, body: Callable[..., None]) -> Callable[..., int]:
    """Give `body(session, ...)` as a function typer can take: the common options instead of the session."""
    signature = inspect.signature(body, eval_str=True)
    own = [p for key, p in signature.parameters.items() if key != "session"]
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [p.replace(kind=keyword) for p in own]
    common = [inspect.Parameter(k, keyword, default=d, annotation=a) for k, (a, d) in _COMMON.items()]

    @functools.wraps(body)
    def wrapped(**given: Any) -> int:
        options = {k: given.pop(k) for k in _COMMON}
        options.pop("debug")
        session = Session(
            command=name,
            log_json=options.pop("log_format") == "json",
            rules_path=given.pop("rules_path", None),
            facts_path=given.pop("facts_path", None),
            **options,
        )
        try:
            body(session, **given)
            sys.stdout.flush()
        except BrokenPipeError as error:  # here, since typer would end the process with 1
            return exits.output_failed(error, f"orderctl {name}")
        finally:
            session.close()
        return session.tally.code()

    wrapped.__signature__ = signature.replace(parameters=[*own, *common], return_annotation=int)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in [*own, *common]}
    return wrapped


def build(command: str) -> typer.core.TyperGroup | typer.core.TyperCommand:
    """Build the typer command `command`, or its group of subcommands, with help in the reader's language."""
    module: ModuleType = import_module(COMMANDS[command].module)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    subcommands: dict[str, Callable[..., None]] = getattr(module, "SUBCOMMANDS", {})
    for name, body in subcommands.items():
        app.command(name)(_with_session(f"{command} {name}", body))
    if subcommands:
        app.callback(help=COMMANDS[command].help)(lambda: None)
    else:
        app.command(command)(_with_session(command, module.run))
    built: Any = typer.main.get_command(app)
    _translate(built)
    return built  # type: ignore[no-any-return]


def _translate(command: Any) -> None:
    known = sentences(locale_of())
    if command.help:
        paragraphs = [" ".join(p.split()) for p in command.help.split("\n\n")]
        command.help = "\n\n".join(known.get(p, p) for p in paragraphs)
    for param in command.params:
        if getattr(param, "help", None):
            param.help = known.get(param.help, param.help)
    for inner in getattr(command, "commands", {}).values():
        _translate(inner)


def invoke(argv: list[str]) -> int:
    """Run the command line `argv` and give its exit code; every failure is told on stderr in one message."""
    name = argv[0]
    if name not in COMMANDS:
        guess = nearest(name)
        hint = (
            Text("did you mean {guess}?", guess=guess)
            if guess
            else Text("options stand behind the command: orderctl COMMAND {name} ...", name=name)
            if name.startswith("-")
            else Text("orderctl --help lists the commands")
        )
        print(
            f"orderctl: {Text('unknown command {name}', name=name).render(locale_of())} ({hint.render(locale_of())})",
            file=sys.stderr,
        )
        return exits.USAGE
    debug = "--debug" in argv
    try:
        code = build(name).main(args=argv[1:], prog_name=f"orderctl {name}", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else exits.OK
    except OrderctlError as error:
        if debug:
            traceback.print_exc()
        print(f"orderctl {name}: {error.render(locale_of())}", file=sys.stderr)
        exits.leave_stdout()
        return exits.code_of(error)
    except typer.TyperException as error:
        error.show() if hasattr(error, "show") else print(f"orderctl {name}: {error}", file=sys.stderr)
        return int(getattr(error, "exit_code", exits.USAGE))
    except SystemExit:  # typer's word for a closed pipe while it writes help
        return exits.output_failed(BrokenPipeError(), f"orderctl {name}")
    except (typer.Abort, KeyboardInterrupt):
        return exits.INTERRUPTED
    except Exception as error:  # the one place: a bug is told as such, never as an empty traceback at 3 a.m.
        if isinstance(error, OSError) and error.filename is None:  # every other one was named by its port
            return exits.output_failed(error, f"orderctl {name}")
        if debug:
            traceback.print_exc()
        text = Text(
            "a bug: {kind}; run again with --debug and report what it shows", kind=type(error).__name__
        )
        print(f"orderctl {name}: {text.render(locale_of())}", file=sys.stderr)
        return exits.BUG
