"""orderctl rules test | lint"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.session import Session

FileArg = Annotated[
    str | None, typer.Argument(metavar="[FILE]", help="The rules file; that of the configuration by default.")
]


def test(session: Session, file: FileArg = None) -> None:
    """Run the tests that stand in the rules file itself."""
    from orderctl.cli.rulebook import run_rule_tests

    run_rule_tests(session, file)


def lint(session: Session, file: FileArg = None) -> None:
    """Find rules that can never fire, tables nobody uses, and other doubtful places."""
    from orderctl.cli.rulebook import lint_rules

    lint_rules(session, file)


HELP = "Test and check the rules."
SUBCOMMANDS = {"test": test, "lint": lint}
