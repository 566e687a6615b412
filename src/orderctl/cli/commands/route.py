"""orderctl route"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.options import BatchArg, FactsOpt, FormatOpt, OutputOpt, RejectsOpt, RulesOpt
from orderctl.cli.session import Session

PinOpt = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--pin",
        metavar="ID CHOICE",
        help="Keep a courier or warehouse for this order, or shipment of the batch, from now on: SF, SF/express, "
        "warehouse=hz or several, parted by commas; needs --reason.",
    ),
]
UnpinOpt = Annotated[
    str | None,
    typer.Option("--unpin", metavar="ID", help="Take back what was pinned of this id; needs --reason."),
]
PinsOpt = Annotated[
    str | None,
    typer.Option(
        "--pins",
        metavar="FILE",
        help="Keep the pins of a table (CSV, XLSX, Parquet): columns id, courier, service, warehouse and reason; where "
        "there are pin_courier, pin_service, pin_warehouse, those. - in a choice takes the pin back.",
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
    optimize: Annotated[
        bool,
        typer.Option("--optimize", help="Deal stock out by a solver: cheaper, slower, and with a bound."),
    ] = False,
    pin: PinOpt = None,
    unpin: UnpinOpt = None,
    pins: PinsOpt = None,
    reason: ReasonOpt = "",
) -> None:
    """Choose warehouse, courier, label and freight for every shipment, by the first rule that matches, and say why.

    With --pin, --unpin or --pins nothing is routed: what you choose is kept, and every later routing follows it.
    """
    if pin or unpin or pins:
        from orderctl.cli.pinning import pin_asked

        pin_asked(session, batch, pin=pin, unpin=unpin, pins=pins, reason=reason)
        return
    from orderctl.cli.allocating import exact_solver, tell_report, warn_unstocked
    from orderctl.cli.shipments import to_shipments
    from orderctl.cli.tallying import Counted
    from orderctl.model.text import Text
    from orderctl.ports import batches
    from orderctl.stages.allocating.greedy import greedy
    from orderctl.stages.route import needs_whole, route

    solver = exact_solver() if optimize else None
    refused = session.rejects(rejects)
    counted = Counted()
    with batches.open_source(batch) as source:
        # asked once the commands before it in a pipe have ended theirs
        facts = session.facts("history", "stock", "quota")
        warn_unstocked(session, facts)
        kinds = ["shipment/1", "order/1"]
        blocks = (
            iter([batches.read_whole(source, kinds, refused)])
            if needs_whole(session.book, facts)
            else batches.read_blocks(source, kinds, refused)
        )
        routed = (
            route(to_shipments(session, b, facts), session.book, facts, session.now, solver or greedy)
            for b in blocks
        )
        batches.write_batch(
            counted.over(routed), output, kind="shipment/1", format=batches.format_of(output, format)
        )
    session.finish_rejects(refused)
    if solver is not None:
        tell_report(session, solver)
    session.console.summary(
        Text("{rows} shipments: {ready} ready, {waiting} waiting, {blocked} blocked", **counted.words()),
        **counted.words(),
    )
