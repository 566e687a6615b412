from __future__ import annotations

import re
from datetime import timedelta

from orderctl.assets import DEMO
from orderctl.cli.demo import EXPORTS, WRITTEN, _moved

DAY = re.compile(r"\b20\d\d-\d\d-\d\d\b")


def test_exports_of_the_demo_are_as_fresh_on_any_day() -> None:
    for name in EXPORTS:
        text = (DEMO / name).read_text("utf-8")
        assert max(DAY.findall(text)) <= WRITTEN.isoformat()
        later = _moved(text, timedelta(days=40))
        assert max(DAY.findall(later)) > "2026-12-24"
        assert DAY.sub("", later) == DAY.sub("", text)
        assert _moved(later, timedelta(days=-40)) == text
