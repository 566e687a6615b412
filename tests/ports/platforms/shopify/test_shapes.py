"""Forms of answers are complete before threads meet them."""

from __future__ import annotations

import gc

from orderctl.ports.platforms.shopify import shapes


def test_every_form_is_read_at_import() -> None:
    """A form that two threads read at once for the first time crashes the process (seen with msgspec 0.22)."""
    read = {
        shape
        for shape in shapes.Shape.__subclasses__()
        if any(type(part).__name__ == "StructInfo" for part in gc.get_referents(shape))
    }
    assert read == set(shapes.Shape.__subclasses__())
    assert len(read) > 30
