"""orderctl explain"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.options import FactsOpt, RejectsOpt, RulesOpt
from orderctl.cli.session import Session

IdArg = Annotated[
    str, typer.Argument(metavar="ID", help="A shipment, an order or a waybill number of the batch.")
]
FileArg = Annotated[str, typer.Argument(metavar="[BATCH]", help="Shipments or orders; - is stdin.")]
JsonOpt = Annotated[bool, typer.Option("--json", help="As one JSON object.")]


def run(
    session: Session,
    id: IdArg,
    batch: FileArg = "-",
    rules_path: RulesOpt = None,
    facts_path: FactsOpt = None,
    rejects: RejectsOpt = None,
    as_json: JsonOpt = False,
) -> None:
    """Say everything known and decided about one order or shipment, and why: rules looked at, costs, problems."""
    from orderctl.cli.explaining import explain_one

    explain_one(session, id, batch, rejects, as_json=as_json)
