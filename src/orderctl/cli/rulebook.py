"""Testing and linting a rules file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from orderctl.cli.session import Session
from orderctl.cli.shipments import to_shipments
from orderctl.model.errors import UsageError
from orderctl.model.facts import Facts
from orderctl.model.text import Text
from orderctl.ports import batches
from orderctl.ports.sheets import write_bytes
from orderctl.ports.tables.reading import read_table
from orderctl.stages.checking.examples import untested
from orderctl.stages.checking.lint import lint, run_tests
from orderctl.stages.rules.sections.golden import GoldenCase
from orderctl.stages.simulating.golden import WRITTEN, as_table, columns_of, differences
from orderctl.stages.simulating.replay import replay
from orderctl.stages.simulating.times import routed_at


def run_rule_tests(session: Session, file: str | None, *, accept: bool) -> None:
    """Run the file's own tests and its golden batches; print what fails and end with 3 if anything does.

    With `accept` the tables of golden batches are written as the rules choose now, instead of compared.
    """
    session.rules_path = file or session.rules_path
    results = run_tests(session.book)
    failed = [r for r in results if not r.passed]
    said = [result.text for result in failed]
    bad = len(failed)
    golden = session.book.rules.golden
    refused = session.rejects(None)
    for number, case in enumerate(golden):
        found = _replayed(session, case, refused)
        if accept:
            _accept(session, case, found)
            continue
        wrong = list(_compared(session, number, case, found))
        said += wrong
        bad += bool(wrong)
    sys.stdout.write("".join(text.render(session.console.locale) + "\n" for text in said))
    for section, name in untested(session.book, results):
        text = Text("no test shows what '{name}' of {section} decides", name=name, section=section)
        session.console.say("info", "rule.untested", text, section=section, rule=name)
    session.finish_rejects(refused)
    session.tally.blocked += bad
    count = len(results) + (0 if accept else len(golden))
    session.console.summary(
        Text("{passed} of {count} rule tests passed", passed=count - bad, count=count),
        passed=count - bad, failed=bad,
    )  # fmt: skip


def _beside(session: Session, name: str) -> Path:
    return Path(session.book.source).parent / name


def _replayed(session: Session, case: GoldenCase, refused: batches.Rejects) -> pl.DataFrame:
    """Decide a golden batch: as the rules choose, whatever has begun or is pinned here."""
    with batches.open_source(str(_beside(session, case.batch))) as source:
        block = batches.read_whole(source, ["shipment/1", "order/1"], refused)
    shipments = to_shipments(session, block, Facts())
    at = routed_at(shipments, case.at).fill_null(session.now)
    return replay(shipments, session.book, Facts(), at)


def _compared(session: Session, number: int, case: GoldenCase, found: pl.DataFrame) -> Iterator[Text]:
    path = str(_beside(session, case.expected))
    expected = read_table(path)
    place = session.book.place("golden", number)
    for one in differences(found, expected, columns_of(expected, path)):
        yield Text("{place}: '{name}': {differences}", place=place, name=case.name, differences=one.text)


def _accept(session: Session, case: GoldenCase, found: pl.DataFrame) -> None:
    """Write the table of a golden batch, with the columns it has already."""
    path = _beside(session, case.expected)
    if path.suffix.lower() != ".csv":
        raise UsageError(Text("{path}: only CSV is written; give the table that ending", path=path))
    names = columns_of(read_table(str(path)), str(path)) if path.exists() else WRITTEN
    write_bytes(as_table(found, names).write_csv().encode(), str(path))
    text = Text("{path}: {count} shipments written", path=path, count=found.height)
    session.console.say("summary", "golden.written", text, path=str(path), count=found.height)


def lint_rules(session: Session, file: str | None) -> None:
    """Print each doubtful place and end with 3 if there is one."""
    session.rules_path = file or session.rules_path
    findings = lint(session.book, session.now)
    for finding in findings:
        sys.stdout.write(finding.render(session.console.locale) + "\n")
    session.tally.blocked += len(findings)
    session.console.summary(Text("{count} findings in the rules", count=len(findings)), count=len(findings))
