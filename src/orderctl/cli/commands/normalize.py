"""orderctl normalize"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.options import BatchArg, FactsOpt, FormatOpt, OutputOpt, RejectsOpt, RulesOpt
from orderctl.cli.session import Session

UnmappedOpt = Annotated[
    str | None,
    typer.Option(
        "--unmapped",
        metavar="FILE",
        help="List articles without a SKU here (.csv or .xlsx), to be completed and named in the rules as skus.map.",
    ),
]


def run(
    session: Session,
    batch: BatchArg = "-",
    output: OutputOpt = "-",
    format: FormatOpt = None,
    rules_path: RulesOpt = None,
    facts_path: FactsOpt = None,
    rejects: RejectsOpt = None,
    unmapped: UnmappedOpt = None,
) -> None:
    """Turn raw records into orders in our words: SKUs mapped, addresses put right, each order checked."""
    from orderctl.cli.mapping import order_blocks
    from orderctl.cli.tallying import Counted
    from orderctl.cli.unmapped import Unmapped, say_how_to_map
    from orderctl.model.text import Text
    from orderctl.ports import batches

    refused = session.rejects(rejects)
    counted = Counted()
    session.list_to_come = unmapped
    listed = Unmapped(unmapped) if unmapped else None
    with batches.open_source(batch) as source:
        blocks = order_blocks(source, refused, session.book, session.facts("audit"), session.now)
        if listed:
            blocks = listed.over(blocks)
        batches.write_batch(
            counted.over(blocks), output, kind="order/1", format=batches.format_of(output, format)
        )
    if listed:
        listed.write(session)
    elif counted.unmapped:
        say_how_to_map(session, counted.unmapped)
    session.finish_rejects(refused)
    session.console.summary(
        Text("{rows} orders: {ready} ready, {waiting} waiting, {blocked} blocked", **counted.words()),
        **counted.words(),
    )
