"""orderctl rules test | lint | sku-diff"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.options import BatchArg, RejectsOpt
from orderctl.cli.session import Session

FileArg = Annotated[
    str | None, typer.Argument(metavar="[FILE]", help="The rules file; that of the configuration by default.")
]
TableArg = Annotated[str, typer.Argument(metavar="TABLE", help="The new SKU table: CSV, XLSX or Parquet.")]


def test(session: Session, file: FileArg = None) -> None:
    """Run the tests that stand in the rules file itself."""
    from orderctl.cli.rulebook import run_rule_tests

    run_rule_tests(session, file)


def lint(session: Session, file: FileArg = None) -> None:
    """Find rules that can never fire, tables nobody uses, and other doubtful places."""
    from orderctl.cli.rulebook import lint_rules

    lint_rules(session, file)


def sku_diff(session: Session, table: TableArg, batch: BatchArg = "-", rejects: RejectsOpt = None) -> None:
    """Show which articles of raw records a new SKU table would map otherwise than the rules do now."""
    from orderctl.cli.unmapped import show_changes

    show_changes(session, table, batch, rejects)


HELP = "Test and check the rules."
SUBCOMMANDS = {"test": test, "lint": lint, "sku-diff": sku_diff}
