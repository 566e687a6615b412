"""orderctl merge"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.options import BatchArg, FactsOpt, FormatOpt, OutputOpt, RejectsOpt, RulesOpt
from orderctl.cli.session import Session

UndoOpt = Annotated[
    str | None,
    typer.Option(
        "--undo",
        metavar="SHIPMENT",
        help="Keep the orders of this shipment of the batch apart from each other from now on; needs --reason.",
    ),
]
PinOpt = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--pin",
        metavar="ORDER ORDER",
        help="Send the second order (or shipment of the batch) with the first, to its recipient, from now on; needs --reason.",
    ),
]
NeverOpt = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--never",
        metavar="ORDER ORDER",
        help="Never put these two orders (or shipments of the batch) into one parcel from now on; needs --reason.",
    ),
]
ReasonOpt = Annotated[str, typer.Option("--reason", help="Why; it is journaled with your name.")]


def run(
    session: Session,
    batch: BatchArg = "-",
    output: OutputOpt = "-",
    format: FormatOpt = None,
    rules_path: RulesOpt = None,
    facts_path: FactsOpt = None,
    rejects: RejectsOpt = None,
    undo: UndoOpt = None,
    pin: PinOpt = None,
    never: NeverOpt = None,
    reason: ReasonOpt = "",
) -> None:
    """Keep the newest version of every order, join orders of one recipient into shipments, and give them their gifts.

    With --undo, --pin or --never nothing is joined: what you decide is kept, and every later merge follows it.
    """
    from orderctl.model.text import Text
    from orderctl.ports import batches
    from orderctl.stages.merge import merge

    if undo or pin or never:
        from orderctl.cli.joining import decide_joining

        decide_joining(session, batch, undo=undo, pin=pin, never=never, reason=reason)
        return
    refused = session.rejects(rejects)
    with batches.open_source(batch) as source:
        found = batches.read_whole(source, ["order/1", "shipment/1"], refused)
    book = session.book
    shipments = merge(found.frame, book.merge, session.facts("history"), session.now, book.gifts, book.cards)
    batches.write_batch([shipments], output, kind="shipment/1", format=batches.format_of(output, format))
    session.finish_rejects(refused)
    joined = shipments.filter(shipments["orders"].list.len() > 1).height
    if doubtful := shipments["merge"].struct.field("with").list.len().gt(0).sum():
        text = Text(
            "{count} shipments may belong with others: orderctl view {file} -c +merging --where 'merge_with is not null'",
            count=doubtful, file="FILE" if output == "-" else output,
        )  # fmt: skip
        session.console.say("summary", "merge.suggested", text, count=doubtful)
    session.console.summary(
        Text(
            "{orders} rows in, {shipments} shipments, {joined} of several orders",
            orders=found.frame.height,
            shipments=shipments.height,
            joined=joined,
        ),
        rows=found.frame.height,
        shipments=shipments.height,
        joined=joined,
    )
