"""orderctl print"""

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

DocumentOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--document", metavar="NAME", help="label, packing-slip, picklist, card or receipt; may be repeated."
    ),
]
DeviceOpt = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="DEVICE",
        help="Where to print: a device of the configuration, file:PATH, cups:QUEUE or escpos://HOST:PORT.",
    ),
]
SizeOpt = Annotated[
    str | None, typer.Option("--size", metavar="SIZE", help="Paper of our own labels: 76x130, 100x150, ...")
]
WaveOpt = Annotated[
    str | None, typer.Option("--wave", metavar="WAVE", help="Print this wave only; else all, wave by wave.")
]
ReprintOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--reprint", metavar="SHIPMENT", help="Print this shipment's documents once more, marked as a copy."
    ),
]
ReasonOpt = Annotated[str | None, typer.Option("--reason", help="Why; it is journaled with your name.")]


def run(
    session: Session,
    batch: BatchArg = "-",
    output: OutputOpt = "-",
    format: FormatOpt = None,
    document: DocumentOpt = None,
    device: DeviceOpt = None,
    size: SizeOpt = None,
    wave: WaveOpt = None,
    reprint: ReprintOpt = None,
    reason: ReasonOpt = None,
    rules_path: RulesOpt = None,
    rejects: RejectsOpt = None,
    dry_run: DryRunOpt = False,
    offline: OfflineOpt = False,
    fresh: FreshOpt = None,
) -> None:
    """Get a waybill number for every shipment and print labels and other documents, each exactly once.

    Running it again is safe at any moment: what was bought or printed is neither bought nor printed again.
    """
    from orderctl.cli.printing import Wanted, devices_of, print_rows, reopen
    from orderctl.cli.shipments import read_rows, write_rows
    from orderctl.model.text import Text

    refused = session.rejects(rejects)
    rows = read_rows(session, batch, refused)
    wanted = Wanted(
        devices=devices_of(session, document or [], device),
        size=size or session.config.print.size,
        dry_run=dry_run,
        offline=offline,
        fresh=fresh,
        wave=wave,
    )
    if reprint and not dry_run:
        reopen(session, rows, wanted, reprint, reason)
    done = print_rows(session, rows, wanted)
    if not dry_run:
        write_rows(rows, output, format)
    session.finish_rejects(refused)
    printed = sum(count for name, count in done.items() if name != "numbers")
    before = sum(len(r["printed"]) for r in rows) - printed
    session.console.summary(
        Text("{numbers} numbers got, {printed} documents printed, {before} were before, {blocked} blocked, {waiting} waiting",
             numbers=done["numbers"], printed=printed, before=before, blocked=session.tally.blocked, waiting=session.tally.waiting),
        numbers=done["numbers"], printed=printed, before=before, blocked=session.tally.blocked, waiting=session.tally.waiting,
    )  # fmt: skip
