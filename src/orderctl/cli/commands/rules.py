"""orderctl rules test | lint | simulate | sku-diff"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.options import BatchArg, FactsOpt, RejectsOpt, RulesOpt
from orderctl.cli.session import Session

FileArg = Annotated[
    str | None, typer.Argument(metavar="[FILE]", help="The rules file; that of the configuration by default.")
]
AcceptOpt = Annotated[
    bool,
    typer.Option("--accept", help="Write what the rules choose now into the tables of the golden batches."),
]
TableArg = Annotated[str, typer.Argument(metavar="TABLE", help="The new SKU table: CSV, XLSX or Parquet.")]
BatchesArg = Annotated[
    list[str] | None, typer.Argument(metavar="BATCH...", help="The batches to decide anew; - is stdin.")
]
AgainstOpt = Annotated[str, typer.Option("--against", metavar="FILE", help="The rules to compare with.")]
ByOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Which table; may be repeated: totals, freight, transit, splits, rules, couriers, warehouses, shipments. CSV and "
        "Parquet hold one, by default the shipments affected.",
    ),
]
AnswerOpt = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Where it goes; - is stdout.")]
AnswerFormatOpt = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="table, csv, xlsx, jsonl, parquet or html; by default told by the file's name.",
    ),
]
BomOpt = Annotated[
    bool | None,
    typer.Option(
        "--bom/--no-bom",
        help="Begin CSV with a byte order mark, as Excel needs it; by default in files, not on stdout.",
    ),
]
PinsOpt = Annotated[
    bool,
    typer.Option(
        "--pins/--no-pins", help="Whether what people pinned goes before the rules; it does by default."
    ),
]
AtOpt = Annotated[
    str,
    typer.Option(
        "--at",
        metavar="TIME",
        help="The time each shipment is judged at: when it was paid (the default), placed or printed, or one instant "
        "for all.",
    ),
]


def test(session: Session, file: FileArg = None, accept: AcceptOpt = False) -> None:
    """Run the tests that stand in the rules file itself, and the golden batches it names."""
    from orderctl.cli.rulebook import run_rule_tests

    run_rule_tests(session, file, accept=accept)


def lint(session: Session, file: FileArg = None) -> None:
    """Find rules that can never fire, tables nobody uses, and other doubtful places."""
    from orderctl.cli.rulebook import lint_rules

    lint_rules(session, file)


def simulate(
    session: Session,
    against: AgainstOpt,
    batches: BatchesArg = None,
    rules_path: RulesOpt = None,
    by: ByOpt = None,
    at: AtOpt = "paid",
    pins: PinsOpt = True,
    output: AnswerOpt = "-",
    format: AnswerFormatOpt = None,
    bom: BomOpt = None,
    facts_path: FactsOpt = None,
    rejects: RejectsOpt = None,
) -> None:
    """Decide past batches anew under the rules and under older ones: what changes in money, couriers, warehouses.

    What has begun does not bind here: the question is what the rules would have chosen, each shipment at its own time.
    """
    from orderctl.cli.simulating import Asked, Target, simulate

    asked = Asked(batches or ["-"], against, pins=pins, at=at)
    simulate(session, asked, Target(output, format, bom, by or []), rejects)


def sku_diff(session: Session, table: TableArg, batch: BatchArg = "-", rejects: RejectsOpt = None) -> None:
    """Show which articles of raw records a new SKU table would map otherwise than the rules do now."""
    from orderctl.cli.unmapped import show_changes

    show_changes(session, table, batch, rejects)


HELP = "Test and check the rules."
SUBCOMMANDS = {"test": test, "lint": lint, "simulate": simulate, "sku-diff": sku_diff}
