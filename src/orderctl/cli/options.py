"""The options that several commands share, each described once."""

from __future__ import annotations

from typing import Annotated

import typer

BatchArg = Annotated[str, typer.Argument(metavar="[BATCH]", help="The batch to read; - is stdin.")]
OutputOpt = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE", help="Where the batch goes; - is stdout.")
]
FormatOpt = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="FORMAT", help="jsonl, arrow or parquet; by default told by the file's name."
    ),
]
RulesOpt = Annotated[str | None, typer.Option("--rules", metavar="FILE", help="Rules file.")]
FactsOpt = Annotated[str | None, typer.Option("--facts", metavar="FILE", help="Use these frozen facts.")]
RejectsOpt = Annotated[
    str | None, typer.Option("--rejects", metavar="FILE", help="Where unreadable records go.")
]
DryRunOpt = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
OfflineOpt = Annotated[
    bool, typer.Option("--offline", help="Act without asking the platforms first; this is journaled.")
]
FreshOpt = Annotated[
    int | None,
    typer.Option("--fresh", metavar="SECONDS", help="How old the platform's word may be before acting."),
]
