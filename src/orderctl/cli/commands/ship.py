"""orderctl ship"""

from __future__ import annotations

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
) -> None:
    """Tell every platform the waybill numbers of its orders, each exactly once.

    Running it again is safe at any moment: what was told is not told again, what is unknown is looked up.
    """
    from orderctl.cli.shipments import read_rows, write_rows
    from orderctl.cli.shipping import ship_rows
    from orderctl.model.text import Text

    refused = session.rejects(rejects)
    rows = read_rows(session, batch, refused)
    told = ship_rows(session, rows, dry_run=dry_run, offline=offline, fresh=fresh)
    if not dry_run:
        write_rows(rows, output, format)
    session.finish_rejects(refused)
    shipped = sum(len(r["shipped"]) for r in rows)
    session.console.summary(
        Text("{told} orders told to their platforms, {before} were before, {blocked} blocked", told=told,
             before=shipped - told, blocked=session.tally.blocked),
        told=told, before=shipped - told, blocked=session.tally.blocked,
    )  # fmt: skip
