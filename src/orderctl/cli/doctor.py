"""Everything a run needs, looked at one by one; nothing is changed at a platform, an issuer or a printer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

from orderctl.cli.facts import with_stock
from orderctl.cli.issuing import Issuing
from orderctl.cli.printing import device_text
from orderctl.cli.session import Session
from orderctl.cli.shopcheck import Check, shop_checks
from orderctl.model.errors import ConfigError, OrderctlError
from orderctl.model.facts import Facts
from orderctl.model.text import Text
from orderctl.ports.content import ContentStore
from orderctl.ports.ledger import Ledger
from orderctl.ports.printers import connect
from orderctl.stages.checking.lint import lint, run_tests


def examine(session: Session) -> None:
    """Print one line a check: `ok` or `--`, what was looked at, what was found and what to do."""
    good = bad = 0
    with session.ledger() as ledger:
        for name, look in _checks(session, ledger):
            try:
                mark, text = "ok", look().render(session.console.locale)
                good += 1
            except OrderctlError as error:
                mark, text = "--", error.render(session.console.locale)
                session.tally.add(error)
                bad += 1
            sys.stdout.write(f"{mark}  {name}: {text}\n")
    session.console.summary(
        Text("{good} checks passed, {bad} did not", good=good, bad=bad), good=good, bad=bad
    )


def _checks(session: Session, ledger: Ledger) -> Iterator[Check]:
    yield "orderctl.yaml", lambda: Text("{path}", path=session.config_file or "-")
    yield "rules.yaml", lambda: _rules(session)
    yield "ledger", lambda: _ledger(session, ledger)
    for name, shop in session.config.shops.items():
        yield from shop_checks(session, ledger, name, shop)
    if session.config.stock:
        yield "stock", lambda: _stock(session, ledger)
    issuing = Issuing(session, ledger, ContentStore(session.state / "content"))
    for name in session.config.issuers:
        yield f"issuers.{name}", partial(_issuer, issuing, name)
    for name in session.config.devices:
        yield f"devices.{name}", partial(_device, session, name)


def _rules(session: Session) -> Text:
    failed = sum(not result.passed for result in run_tests(session.book))
    doubtful = len(lint(session.book, session.now))
    if failed or doubtful:
        raise ConfigError(
            Text("{failed} tests fail, {doubtful} places are doubtful", failed=failed, doubtful=doubtful),
            hint=Text("orderctl rules test; orderctl rules lint"),
        )
    return Text("read, its tests pass")


def _ledger(session: Session, ledger: Ledger) -> Text:
    findings = ledger.verify()
    if findings:
        raise ConfigError(findings[0], hint=Text("restore a backup; orderctl ledger verify tells all"))
    return Text("sound, {count} effects wait", count=len(ledger.pending(session.now)))


def _stock(session: Session, ledger: Ledger) -> Text:
    found = with_stock(Facts(), session.config, session.base, ledger).stock
    assert found is not None
    return Text(
        "{skus} SKUs in {warehouses}, the oldest counted at {at}",
        skus=found["sku"].n_unique(),
        warehouses=", ".join(found["warehouse"].unique().sort()) or "-",
        at=found["counted_at"].min() or "-",
    )


def _issuer(issuing: Issuing, name: str) -> Text:
    return Text("settings complete for {kind}", kind=issuing.open(name).name)


def _device(session: Session, name: str) -> Text:
    text = device_text(session, name)
    connect(text)
    return Text("{device}", device=text)
