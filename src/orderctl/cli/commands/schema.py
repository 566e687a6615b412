"""orderctl schema"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.session import Session

KINDS = {"raw": "raw/1", "order": "order/1", "shipment": "shipment/1", "config": "", "rules": ""}
KindArg = Annotated[str, typer.Argument(metavar="KIND", help="raw, order, shipment, config or rules.")]


def run(session: Session, kind: KindArg) -> None:
    """Print the JSON Schema of a record of a batch, of orderctl.yaml (config) or of rules.yaml (rules)."""
    import json
    import sys

    from orderctl.model.errors import UsageError
    from orderctl.model.schema import json_schema
    from orderctl.model.text import Text

    name = kind.removesuffix("/1")
    if name not in KINDS:
        raise UsageError(Text("unknown kind {kind}: give one of {known}", kind=kind, known=", ".join(KINDS)))
    if name == "config":
        from orderctl.cli.config import Config

        found = Config.model_json_schema()
    elif name == "rules":
        from orderctl.stages.rules.book import Rules

        found = Rules.model_json_schema()
    else:
        found = json_schema(KINDS[name])
    json.dump(found, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
