"""`python -m tests.merging`: precision and recall over the corpus of merge groups, and every case that went wrong."""

from __future__ import annotations

import sys
from typing import Any

from tests.merging.cases import LATE, TUNED, UNSEEN, Pairs, expected, outcome


class Score:
    """Pairs that were found, were to be found, and both."""

    def __init__(self, name: str) -> None:
        self.name, self.found, self.wanted, self.right = name, 0, 0, 0

    def add(self, found: Pairs, wanted: Pairs) -> None:
        """Count the pairs of one case."""
        self.found += len(found)
        self.wanted += len(wanted)
        self.right += len(found & wanted)

    def __str__(self) -> str:
        precision, recall = self.right / max(self.found, 1), self.right / max(self.wanted, 1)
        return (
            f"{self.name:<10} {self.wanted:>4} pairs wanted  precision {precision:.3f}  recall {recall:.3f}"
        )


def main() -> None:
    """Run every case and print what came of them, those apart on which nothing was tuned."""
    _tell("groups", TUNED)
    _tell("groups written before tuning", UNSEEN)
    _tell("groups written after it", LATE)


def _tell(title: str, cases: list[dict[str, Any]]) -> None:
    joined, suggested, reasons, right = Score("joined"), Score("suggested"), [0, 0], 0
    for case in cases:
        found, (to_join, to_suggest) = outcome(case), expected(case)
        joined.add(found.joined, to_join)
        if to_suggest is not None:
            suggested.add(found.suggested, to_suggest)
        told = {str(ref): why for ref, why in case.get("why", {}).items()}
        wrong = {ref: found.why[ref] for ref, why in told.items() if found.why[ref] != why}
        reasons = [reasons[0] + len(told), reasons[1] + len(told) - len(wrong)]
        good = found.joined == to_join and to_suggest in (None, found.suggested) and not wrong
        right += good
        if not good:
            note = f" ({case['known']})" if "known" in case else ""
            sys.stdout.write(
                f"- {case['case']}{note}: joined {_shown(found.joined)}, suggested {_shown(found.suggested)} {wrong}\n"
            )
    sys.stdout.write(f"{right} of {len(cases)} {title} as they ought to be\n{joined}\n{suggested}\n")
    sys.stdout.write(f"reasons    {reasons[0]:>4} wanted  {reasons[1]} right\n")


def _shown(pairs: Pairs) -> str:
    return " ".join(sorted("+".join(sorted(pair)) for pair in pairs)) or "none"


if __name__ == "__main__":
    main()
