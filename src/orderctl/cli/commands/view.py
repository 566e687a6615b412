"""orderctl view"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.commands.report import BomOpt, ReportOutputOpt
from orderctl.cli.options import BatchArg, RejectsOpt
from orderctl.cli.session import Session

ColumnsOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--columns", "-c", metavar="NAMES", help="Columns to show, commas between them; may be repeated."
    ),
]
WhereOpt = Annotated[
    str | None,
    typer.Option(
        "--where", metavar="SQL", help="Only rows for which this SQL condition is true: severity = 'block'."
    ),
]
SortOpt = Annotated[
    list[str] | None,
    typer.Option("--sort", metavar="NAME", help="Sort by NAME or NAME:desc; may be repeated."),
]
LimitOpt = Annotated[int | None, typer.Option("--limit", metavar="N", min=0, help="At most so many rows.")]
GroupOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--group-by", metavar="NAMES", help="Count rows and pieces by these columns instead of listing them."
    ),
]
ViewFormatOpt = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="table, csv, xlsx, jsonl or parquet; by default told by the file's name.",
    ),
]
UnmaskOpt = Annotated[bool, typer.Option("--unmask", help="Show names, phones and addresses as they are.")]


def run(
    session: Session,
    batch: BatchArg = "-",
    columns: ColumnsOpt = None,
    where: WhereOpt = None,
    sort: SortOpt = None,
    limit: LimitOpt = None,
    group_by: GroupOpt = None,
    unmask: UnmaskOpt = False,
    output: ReportOutputOpt = "-",
    format: ViewFormatOpt = None,
    bom: BomOpt = None,
    rejects: RejectsOpt = None,
) -> None:
    """List orders or shipments of all shops in one table: choose rows and columns, sort, count.

    Columns are those of the batch and: id, order_ids, platform, shop, status, state, severity, codes, findings, name,
    phone, address, place, country, province, city, district, items, pieces, total, numbers, placed_at, paid_at,
    buyer_note, seller_note.

    Of names, phones and addresses only a part is shown, unless --unmask is given.
    """
    from orderctl.cli.viewing import Choice, show_list

    def names(given: list[str] | None) -> list[str]:
        return [name.strip() for text in given or [] for name in text.split(",") if name.strip()]

    choice = Choice(names(columns), where, names(sort), limit, names(group_by), unmask)
    show_list(session, batch, choice, output, format, rejects, bom)
