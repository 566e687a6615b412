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
        "--columns",
        "-c",
        metavar="NAMES",
        help="Columns to show, commas between them; may be repeated. +NAME adds to the usual ones.",
    ),
]
WhereOpt = Annotated[
    str | None,
    typer.Option(
        "--where", metavar="SQL", help="Only rows for which this SQL condition is true: severity = 'block'."
    ),
]
FindOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--find",
        metavar="TEXT",
        help="Only rows that show this text, have it in a note, an id or waybill number, or end the phone with these 4"
        " digits; may be repeated.",
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
        "--group-by",
        metavar="NAMES",
        help="Add up by these columns instead of listing; repeated, each is a table of its own.",
    ),
]
SumOpt = Annotated[
    bool, typer.Option("--sum", help="Add the row over all; without --group-by show nothing else.")
]
NoPagerOpt = Annotated[
    bool, typer.Option("--no-pager", help="Write a long table to the terminal in one go, not page by page.")
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
    find: FindOpt = None,
    sort: SortOpt = None,
    limit: LimitOpt = None,
    group_by: GroupOpt = None,
    sum: SumOpt = False,
    unmask: UnmaskOpt = False,
    output: ReportOutputOpt = "-",
    format: ViewFormatOpt = None,
    bom: BomOpt = None,
    no_pager: NoPagerOpt = False,
    rejects: RejectsOpt = None,
) -> None:
    """List orders or shipments of all shops in one table: choose rows and columns, sort, add up.

    Columns are those of the batch and: id, order_ids, platform, shop, status, state, severity, codes, findings, remarks,
    risk, name, phone, address, place, country, province, city, district, items, pieces, total, freight, weight_kg,
    order_count, parcel_count, numbers, merge_how, merge_why, merge_with, wished, pin_courier, pin_service, pin_warehouse,
    pin_reason, placed_at, paid_at, buyer_note, seller_note.

    Several at once: merging, routing, pinned, person, notes, times, trouble.

    Added up are rows, orders, pieces and, each currency by itself, totals and freight; and the weight.

    Of names, phones and addresses only a part is shown, unless --unmask is given, and --find sees no more than that.
    On a terminal a long table is read in your PAGER.
    """
    from orderctl.cli.viewing import Choice, Target, show_list

    def names(*given: str) -> list[str]:
        return [name.strip() for text in given for name in text.split(",") if name.strip()]

    groupings = [names(one) for one in group_by or []]
    choice = Choice(
        names(*columns or []), where, find or [], names(*sort or []), limit, groupings, sum, unmask
    )
    show_list(session, batch, choice, Target(output, format, bom, pager=not no_pager), rejects)
