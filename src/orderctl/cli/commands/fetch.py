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
    file: FileOpt = None,
    column_map: MapOpt = None,
    rejects: RejectsOpt = None,
) -> None:
    """Get new and changed orders: from the shops' APIs since the last time, or from export files.

    Reading again is harmless. How far a shop was read is remembered only after its orders have been handed on.
    """
    from orderctl.cli.fetching import Ask, api_shops, fetch_shops, save_cursors
    from orderctl.cli.files import fetch_files
    from orderctl.model.errors import UsageError
    from orderctl.model.text import Text
    from orderctl.ports import batches

    if by not in ("updated", "created"):
        raise UsageError(Text("--by {by}: give updated or created", by=by))
    refused = session.rejects(rejects)
    with session.ledger() as ledger:
        if file:
            frames, done = [fetch_files(session, ledger, file, shop or [], column_map, refused)], []
        else:
            shops = api_shops(session, shop or [])
            frames = [fetch_files(session, ledger, [], shop or [], None, refused)]
            if not shops and not frames[0].height:
                raise UsageError(Text("no shop to fetch from: name one in orderctl.yaml, or give --file"))
            done = fetch_shops(
                session,
                ledger,
                shops,
                Ask(since, until, "created" if by == "created" else "updated", order or [], open),
            )
            frames += [found.raw() for found in done]
        batches.write_batch(frames, output, kind="raw/1", format=batches.format_of(output, format))
        save_cursors(session, ledger, done)
    session.finish_rejects(refused)
    count = sum(f.height for f in frames)
    session.console.summary(
        Text(
            "{count} orders from {shops} shops",
            count=count,
            shops=len({s for f in frames for s in f["shop"].unique()}),
        ),
        orders=count,
    )
