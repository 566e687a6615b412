"""`python -m tests.addresses`: how well addresses are read: precision and recall of every level, and every miss."""

from __future__ import annotations

from collections import Counter

from tests.addresses.corpus import LEVELS, Score, batch, cases, misses, outcome, scores, second


def table(title: str, found: dict[str, Score]) -> None:
    """Print a table of scores."""
    print(f"{title}\n{'':10}{'given':>7}{'wanted':>8}{'right':>7}{'precision':>11}{'recall':>9}")
    for name, score in found.items():
        shares = f"{score.precision:>11.4f}{score.recall:>9.4f}"
        print(f"{name:10}{score.given:>7}{score.wanted:>8}{score.right:>7}{shares}")


def main() -> None:
    """Print the scores, then what came out otherwise than expected."""
    rows, others = cases(), second()
    found, read = outcome(batch(rows)), outcome(batch(others))
    table(f"{rows.height} hard addresses", scores(rows, found))
    table(f"\n{others.height} of the second set", scores(others, read, LEVELS[:3]))
    missed = list(misses(rows, found))
    wrong = {miss.given for miss in missed}
    print(f"\n{rows.height - len(wrong)} of {rows.height} hard ones as expected in every field and finding")
    for kind, count in Counter(miss.kind for miss in missed).most_common():
        print(f"\n{kind}: {count}")
        for miss in missed:
            if miss.kind == kind:
                print(f"  {miss.given!r}: {miss.field} is {miss.found!r}, expected {miss.expected!r}")


if __name__ == "__main__":
    main()
