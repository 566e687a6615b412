"""What is named in the rules and not there, or there and not used: tariffs, tables."""

from __future__ import annotations

from collections.abc import Iterator

from orderctl.model.errors import ConfigError
from orderctl.model.text import Text
from orderctl.stages.checking.finding import Lint
from orderctl.stages.documents.data import page_size
from orderctl.stages.rules.book import RuleBook


def unused(book: RuleBook) -> Iterator[Lint]:
    """Find tariffs that are missing or unused, papers that are none, and tables nobody reads."""
    yield from _tariffs(book)
    yield from _papers(book)
    yield from _tables(book)


def _tariffs(book: RuleBook) -> Iterator[Lint]:
    if not book.rules.tariffs:
        return
    ids = {t.id for t in book.rules.tariffs}
    couriers = {t.courier for t in book.rules.tariffs}
    for number, rule in enumerate(book.rules.couriers):
        weighed = len(rule.candidates) if rule.rank is not None and rule.rank.price else 0
        for at, use in enumerate(rule.chain):
            many = len(rule.candidates)
            loc = ("use", at) if at < many else ("otherwise", at - many)
            place = book.place("couriers", number, *loc)
            if use.tariff is not None and use.tariff not in ids:
                text = Text(
                    "'{name}' names the tariff '{tariff}', which is not there",
                    name=rule.name,
                    tariff=use.tariff,
                )
                yield Lint(place, "tariff_missing", "error", text)
            elif use.tariff is None and use.courier not in couriers and at >= weighed:
                text = Text(
                    "there is no tariff of {courier}, so '{name}' gets no estimate",
                    courier=use.courier,
                    name=rule.name,
                )
                yield Lint(place, "courier_without_tariff", "warning", text)
    uses = [use for rule in book.rules.couriers for use in rule.chain]
    used, named = {use.courier for use in uses}, {use.tariff for use in uses}
    for number, tariff in enumerate(book.rules.tariffs):
        if tariff.courier not in used and tariff.id not in named:
            text = Text("no courier rule uses the tariff '{tariff}'", tariff=tariff.id)
            yield Lint(book.place("tariffs", number), "tariff_unused", "warning", text)


def _papers(book: RuleBook) -> Iterator[Lint]:
    """Find label templates that are no size of paper: nothing could be printed on them."""
    named = [(rule.use, ("templates", number, "use")) for number, rule in enumerate(book.rules.templates)] + [
        (use.template, ("couriers", number, "use", "template"))
        for number, rule in enumerate(book.rules.couriers)
        for use in rule.chain
        if use.template is not None
    ]
    for size, where in named:
        try:
            page_size(size)
        except ConfigError as error:
            yield Lint(book.place(*where), "template_missing", "error", error.text)


def _tables(book: RuleBook) -> Iterator[Lint]:
    """Find tables that are read for nothing: what would look into them is not asked for."""
    rules = book.rules
    if rules.stock is not None and all(gift.stock_floor is None for gift in rules.gifts):
        text = Text("no gift has a stock_floor, so the table {table} is read for nothing", table=rules.stock)
        yield Lint(book.place("stock"), "table_unused", "warning", text)
    listed = rules.audit.blacklist
    if listed is not None and "blacklisted" in rules.audit.off:
        text = Text("'blacklisted' is off, so the table {table} is read for nothing", table=listed)
        yield Lint(book.place("audit", "blacklist"), "table_unused", "warning", text)
