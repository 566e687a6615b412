"""Batches in and out: JSONL (plain, gz, zst), Parquet and Arrow streams, from files, stdin and to stdout.

Invariants: a record that cannot be read costs itself and no other (it goes to the rejects with source, line and
reason); what is written never depends on who reads it; output appears complete or not at all.
"""

from orderctl.ports.batches.read import Block, read_blocks, read_raw_blocks, read_whole
from orderctl.ports.batches.rejects import Rejects
from orderctl.ports.batches.source import Source, open_source
from orderctl.ports.batches.write import FORMATS, format_of, write_batch

__all__ = [
    "FORMATS",
    "Block",
    "Rejects",
    "Source",
    "format_of",
    "open_source",
    "read_blocks",
    "read_raw_blocks",
    "read_whole",
    "write_batch",
]
