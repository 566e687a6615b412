"""Testing and linting a rules file."""

from __future__ import annotations

import sys

from orderctl.cli.session import Session
from orderctl.model.text import Text
from orderctl.stages.rules.check import lint, run_tests


def run_rule_tests(session: Session, file: str | None) -> None:
    """Run the file's own tests; print the ones that fail and end with 3 if there are any."""
    session.rules_path = file or session.rules_path
    results = run_tests(session.book)
    failed = [r for r in results if not r.passed]
    for result in failed:
        sys.stdout.write(result.text.render(session.console.locale) + "\n")
    session.tally.blocked += len(failed)
    session.console.summary(
        Text("{passed} of {count} rule tests passed", passed=len(results) - len(failed), count=len(results)),
        passed=len(results) - len(failed), failed=len(failed),
    )  # fmt: skip


def lint_rules(session: Session, file: str | None) -> None:
    """Print each doubtful place and end with 3 if there is one."""
    session.rules_path = file or session.rules_path
    findings = lint(session.book)
    for finding in findings:
        sys.stdout.write(finding.render(session.console.locale) + "\n")
    session.tally.blocked += len(findings)
    session.console.summary(Text("{count} findings in the rules", count=len(findings)), count=len(findings))
