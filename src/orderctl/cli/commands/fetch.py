"""orderctl fetch"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orderctl.cli.options import FormatOpt, OutputOpt, RejectsOpt
from orderctl.cli.session import Session

ShopOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--shop", metavar="SHOP", help="A shop of the configuration; may be repeated; all by default."
    ),
]
SinceOpt = Annotated[
    str | None,
    typer.Option("--since", metavar="INSTANT", help="Look back to this instant instead of the cursor."),
]
UntilOpt = Annotated[
    str | None, typer.Option("--until", metavar="INSTANT", help="Look back no further on than this instant.")
]
ByOpt = Annotated[
    str,
    typer.Option(
        "--by", metavar="TIME", help="Windows by time of change (updated) or of creation (created)."
    ),
]
OpenOpt = Annotated[
    bool, typer.Option("--open", help="With them, every stored order that may still have to be shipped.")
]
OrderOpt = Annotated[
    list[str] | None,
    typer.Option(
        "--order",
        metavar="REF",
        help="Only this order of the shop, by the platform's number; may be repeated.",
    ),
]
FileOpt = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        metavar="FILE",
        help="Read this export file of a back office; may be repeated; files of one shop belong together.",
    ),
]
MapOpt = Annotated[
    Path | None, typer.Option("--column-map", metavar="FILE", help="How to read the columns of other files.")
]


EventsOpt = Annotated[
    Path | None,
    typer.Option(
        "--events",
        metavar="FILE",
        help="Verify the webhooks kept in this file (- is stdin), and read the orders they speak of.",
    ),
]


def run(
    session: Session,
    output: OutputOpt = "-",
    format: FormatOpt = None,
    shop: ShopOpt = None,
    since: SinceOpt = None,
    until: UntilOpt = None,
    by: ByOpt = "updated",
    order: OrderOpt = None,
    open: OpenOpt = False,
    events: EventsOpt = None,
    file: FileOpt = None,
    column_map: MapOpt = None,
    rejects: RejectsOpt = None,
) -> None:
    """Get new and changed orders: from the shops' APIs since the last time, or from export files.

    Every page is kept as it comes: an interrupted fetch goes on where it stopped, and what was read but could not be
    handed on comes with the next one. Looking back (--since, --until, --by created, --order, --events) changes nothing.
    """
    from orderctl.cli.events import read_events
    from orderctl.cli.fetching import Ask, Handed, api_shops, fetch_shops, hand_on
    from orderctl.cli.files import fetch_files
    from orderctl.model.errors import UsageError
    from orderctl.model.text import Text
    from orderctl.ports import batches

    if by not in ("updated", "created"):
        raise UsageError(Text("--by {by}: give updated or created", by=by))
    if events and (file or order or since or until or shop):
        raise UsageError(
            Text("--events names its orders itself: give no --shop, --order, --since, --until or --file")
        )
    refused = session.rejects(rejects)
    given = batches.format_of(output, format)
    with session.ledger() as ledger:
        if events:
            orders = read_events(session, ledger, events, refused)
            shops, ask = list(orders), Ask(orders=orders, open=open)
        else:
            shops = [] if file else api_shops(session, shop or [])
            named = dict.fromkeys(shops, order) if order else None
            ask = Ask(since, until, "created" if by == "created" else "updated", named, open)
        whose = shop or [] if not events else None
        frames = (
            [] if whose is None else [fetch_files(session, ledger, file or [], whose, column_map, refused)]
        )
        if not (shops or file or events or frames[0].height):
            raise UsageError(Text("no shop to fetch from: name one in orderctl.yaml, or give --file"))
        done = fetch_shops(session, ledger, shops, ask)
        handed = Handed()
        batches.write_batch(
            handed.count(frames, hand_on(ledger, done, ask)), output, kind="raw/1", format=given
        )
        if ask.is_stream:
            ledger.settle_handout()
    session.finish_rejects(refused)
    session.console.summary(
        Text("{count} orders from {shops} shops", count=handed.orders, shops=len(handed.shops)),
        orders=handed.orders,
    )
