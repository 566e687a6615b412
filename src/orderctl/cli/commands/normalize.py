"""orderctl normalize"""

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
    """Turn raw records into orders in our words: SKUs mapped, addresses put right, each order checked."""
    from orderctl.cli.mapping import order_blocks
    from orderctl.cli.tallying import Counted
    from orderctl.model.text import Text
    from orderctl.ports import batches

    refused = session.rejects(rejects)
    counted = Counted()
    with batches.open_source(batch) as source:
        blocks = order_blocks(source, refused, session.book, session.facts(), session.now)
        batches.write_batch(
            counted.over(blocks), output, kind="order/1", format=batches.format_of(output, format)
        )
    session.finish_rejects(refused)
    session.console.summary(
        Text("{rows} orders: {ready} ready, {waiting} waiting, {blocked} blocked", **counted.words()),
        **counted.words(),
    )
