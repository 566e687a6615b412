"""orderctl ship"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.options import (
    BatchArg,
    DryRunOpt,
    FormatOpt,
    FreshOpt,
    OfflineOpt,
    OutputOpt,
    RejectsOpt,
    RulesOpt,
)
from orderctl.cli.session import Session

CorrectOpt = Annotated[
    str | None,
    typer.Option(
        "--correct",
        metavar="ID",
        help="Correct the number told of this order, or of all orders of this shipment.",
    ),
]
NumberOpt = Annotated[
    str | None, typer.Option("--number", metavar="NUMBER", help="The right waybill number, with --correct.")
]
CourierOpt = Annotated[
    str | None,
    typer.Option(
        "--courier", metavar="CODE", help="The right courier, with --correct; by default the one told."
    ),
]
ParcelOpt = Annotated[
    int | None,
    typer.Option(
        "--parcel",
        metavar="N",
        min=1,
        help="Which parcel's number is wrong, with --correct, where there are several.",
    ),
]
ReasonOpt = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Why, with --correct; it is journaled with your name."),
]


def run(
    session: Session,
    batch: BatchArg = "-",
    output: OutputOpt = "-",
    format: FormatOpt = None,
    rules_path: RulesOpt = None,
    rejects: RejectsOpt = None,
    dry_run: DryRunOpt = False,
    offline: OfflineOpt = False,
    fresh: FreshOpt = None,
    correct: CorrectOpt = None,
    number: NumberOpt = None,
    courier: CourierOpt = None,
    parcel: ParcelOpt = None,
    reason: ReasonOpt = None,
) -> None:
    """Tell every platform the waybill numbers of its orders, each exactly once.

    Running it again is safe at any moment: what was told is not told again, what is unknown is looked up.

    With --correct it tells them another number than before, on purpose, and reads no batch.
    """
    from orderctl.cli.correcting import correct_named, refuse_without_correct

    if correct is not None:
        correct_named(session, correct, number, courier, parcel, reason, dry_run=dry_run)
        return
    refuse_without_correct(number=number, courier=courier, parcel=parcel, reason=reason)
    from orderctl.cli.shipments import read_rows, write_rows
    from orderctl.cli.shipping import ship_rows
    from orderctl.model.text import Text

    refused = session.rejects(rejects)
    rows = read_rows(session, batch, refused)
    told = ship_rows(session, rows, dry_run=dry_run, offline=offline, fresh=fresh)
    if not dry_run:
        write_rows(rows, output, format)
    session.finish_rejects(refused)
    shipped = sum(len({s["order_id"] for s in r["shipped"]}) for r in rows)
    session.console.summary(
        Text("{told} orders told to their platforms, {before} were before, {blocked} blocked", told=told,
             before=shipped - told, blocked=session.tally.blocked),
        told=told, before=shipped - told, blocked=session.tally.blocked,
    )  # fmt: skip
