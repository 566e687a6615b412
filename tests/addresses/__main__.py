"""`python -m tests.addresses`: how well addresses are read: precision and recall of every level, and every miss."""

from __future__ import annotations

from collections import Counter

from tests.addresses.corpus import batch, cases, misses, outcome, scores


def main() -> None:
    """Print the scores, then what came out otherwise than expected."""
    rows = cases()
    found = outcome(batch(rows))
    print(
        f"{rows.height} addresses\n{'':10}{'given':>7}{'wanted':>8}{'right':>7}{'precision':>11}{'recall':>9}"
    )
    for field, score in scores(rows, found).items():
        print(
            f"{field:10}{score.given:>7}{score.wanted:>8}{score.right:>7}{score.precision:>11.4f}{score.recall:>9.4f}"
        )
    missed = list(misses(rows, found))
    wrong = {miss.given for miss in missed}
    print(f"\n{rows.height - len(wrong)} of {rows.height} as expected in every field and finding")
    for kind, count in Counter(miss.kind for miss in missed).most_common():
        print(f"\n{kind}: {count}")
        for miss in missed:
            if miss.kind == kind:
                print(f"  {miss.given!r}: {miss.field} is {miss.found!r}, expected {miss.expected!r}")


if __name__ == "__main__":
    main()
