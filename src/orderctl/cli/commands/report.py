"""orderctl report"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.options import BatchArg, FactsOpt, RejectsOpt
from orderctl.cli.session import Session

ByOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Which report; may be repeated: totals, state, platform, shop, courier, warehouse, province, product, day, "
        "problems, orders, shipments.",
    ),
]
ReportOutputOpt = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE", help="Where it goes; - is stdout.")
]
ReportFormatOpt = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="table, csv, xlsx, jsonl or html; by default told by the file's name.",
    ),
]
BomOpt = Annotated[
    bool | None,
    typer.Option(
        "--bom/--no-bom",
        help="Begin CSV with a byte order mark, as Excel needs it; by default in files, not on stdout.",
    ),
]


def run(
    session: Session,
    batch: BatchArg = "-",
    by: ByOpt = None,
    output: ReportOutputOpt = "-",
    format: ReportFormatOpt = None,
    bom: BomOpt = None,
    facts_path: FactsOpt = None,
    rejects: RejectsOpt = None,
) -> None:
    """Count and add up orders, shipments, goods and freight: as a table, CSV, XLSX, JSON lines or one HTML page.

    Without --by it is an overview; XLSX and HTML hold all but the lists of single orders and shipments.

    Currencies are never added up. Nobody's name, phone or address is in any report.
    """
    from orderctl.cli.reporting import make_reports

    make_reports(session, batch, by or [], output, format, rejects, bom)
