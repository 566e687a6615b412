"""What people and log collectors see, on stderr: quiet when well, exact when not.

stdout belongs to data. Text from outside is made visible before it is shown (`model/text.py`).
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from typing import Literal

from orderctl.model.text import Locale, Text

Level = Literal["debug", "info", "summary", "warning", "error"]
_RANK: dict[Level, int] = {"debug": 0, "info": 1, "summary": 2, "warning": 3, "error": 4}
ALIKE = 3
"""How many sentences that differ only in whom they are about are shown before the rest are only counted."""
_COLOUR: dict[Level, str] = {"warning": "33", "error": "31"}


def locale_of(asked: str | None = None) -> Locale:
    """Give the reader's language: asked for, else of the environment; anything but Chinese reads English."""
    names = (asked, *(os.environ.get(n) for n in ("ORDERCTL_LANG", "LC_ALL", "LC_MESSAGES", "LANG")))
    first = next((n for n in names if n), "en")
    return "zh" if first.lower().startswith("zh") else "en"


@dataclass
class Console:
    """Writes to stderr: `verbose` 0 shows summaries and trouble, 1 information, 2 debugging."""

    command: str
    locale: Locale = "en"
    verbose: int = 0
    json: bool = False
    now: str = ""
    _alike: dict[str, int] = field(default_factory=dict)

    def say(self, level: Level, event: str, text: Text, **data: object) -> None:
        """Tell one thing: a sentence for people, or an object with the stable keys ts, level, event and `data`."""
        if _RANK[level] < 2 - self.verbose:
            return
        if self.json:
            row = {
                "ts": self.now,
                "level": level,
                "event": event,
                "command": self.command,
                "message": str(text),
                **data,
            }
            line = json.dumps(row, ensure_ascii=False, default=str)
        else:
            line = f"{self.command}: {text.render(self.locale)}"
            if level in _COLOUR and sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
                line = f"\x1b[{_COLOUR[level]}m{line}\x1b[0m"
        print(line, file=sys.stderr, flush=True)

    def warn_alike(self, alike: str, event: str, text: Text, **data: object) -> None:
        """Warn as `say` does; people see the first few that are `alike`, and before the summary how many more there were."""
        self._alike[alike] = self._alike.get(alike, 0) + 1
        if self._alike[alike] <= ALIKE or self.json or self.verbose:
            self.say("warning", event, text, **data)

    def summary(self, text: Text, **data: object) -> None:
        """Tell the one line a run ends with, once all its data is out: a full disk must not follow "done"."""
        sys.stdout.flush()
        self.rest()
        self.say("summary", "run.done", text, **data)

    def rest(self) -> None:
        """Tell how many sentences were not shown, being like others that were."""
        for alike, count in self._alike.items():
            if count > ALIKE and not self.json and not self.verbose:
                text = Text("{count} more like this: {what}", count=count - ALIKE, what=alike)
                self.say("warning", "alike", text)
        self._alike.clear()
