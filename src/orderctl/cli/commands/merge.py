"""orderctl merge"""

from __future__ import annotations

from orderctl.cli.options import BatchArg, FactsOpt, FormatOpt, OutputOpt, RejectsOpt, RulesOpt
from orderctl.cli.session import Session


def run(
    session: Session,
    batch: BatchArg = "-",
    output: OutputOpt = "-",
    format: FormatOpt = None,
    rules_path: RulesOpt = None,
    facts_path: FactsOpt = None,
    rejects: RejectsOpt = None,
) -> None:
    """Keep the newest version of every order and join orders of one recipient into shipments."""
    from orderctl.model.text import Text
    from orderctl.ports import batches
    from orderctl.stages.merge import merge

    refused = session.rejects(rejects)
    with batches.open_source(batch) as source:
        found = batches.read_whole(source, ["order/1", "shipment/1"], refused)
    shipments = merge(found.frame, session.book.merge, session.facts(), session.now)
    batches.write_batch([shipments], output, kind="shipment/1", format=batches.format_of(output, format))
    session.finish_rejects(refused)
    joined = shipments.filter(shipments["orders"].list.len() > 1).height
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
