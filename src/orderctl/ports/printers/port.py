"""What every printer backend can do, and what it is given: complete bytes, never an order.

`send` raises `Temporary` when surely nothing came out, `Refused` when it never will as asked, and `OutcomeUnknown`
from the first byte on whenever the device does not say how it ended. A backend never sends twice by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol


class Document(Protocol):
    """Complete bytes for a device. The sizes are null when pages differ or there are no pages."""

    @property
    def name(self) -> str: ...
    @property
    def content(self) -> bytes: ...
    @property
    def media_type(self) -> str: ...
    @property
    def width_mm(self) -> float | None: ...
    @property
    def height_mm(self) -> float | None: ...
    @property
    def pages(self) -> int: ...


@dataclass(frozen=True)
class DeviceSpec:
    """A device as written in configuration: `kind` selects the backend, `text` is what was written."""

    kind: str
    text: str
    host: str = ""
    port: int = 0
    path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Receipt:
    """What a device confirmed: `spooled` (it has all bytes) or `completed` (it says they came out).

    `detail` is the file's path, the job's number or the device's words; never a person's data.
    """

    confirmed: Literal["spooled", "completed"]
    detail: str


class Printer(Protocol):
    """A backend, made from a `DeviceSpec`."""

    def send(self, document: Document, *, title: str) -> Receipt:
        """Send one document in one go. `title` names the job at the device and is unique to it.

        Raises:
            Temporary: nothing came out; the same call may work later.
            Refused: the device does not take it.
            OutcomeUnknown: some or all of it may have come out.
        """
        ...

    def lookup(self, document: Document, *, title: str) -> Receipt | None:
        """Say what became of a `send` that was interrupted: its receipt, or null if it surely did not happen.

        Raises:
            OutcomeUnknown: the device cannot tell.
        """
        ...
