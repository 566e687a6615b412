"""What is said of dealing out stock: who is in none, and how good an exact plan is; and the solver, loaded when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderctl.cli.session import Session
from orderctl.model.errors import ConfigError
from orderctl.model.text import Text

if TYPE_CHECKING:
    from orderctl.model.facts import Facts
    from orderctl.stages.allocating.exact import Exact


def warn_unstocked(session: Session, facts: Facts) -> None:
    """Tell which warehouses of the rules no stock knows, so that a slip of the pen does not hold every order."""
    if facts.stock is None:
        return
    rules = session.book.rules
    named = {name for rule in rules.warehouses for name in rule.candidates}
    for name in sorted(named - set(facts.stock["warehouse"]) - set(rules.allocation.not_counted)):
        text = Text("no stock knows the warehouse {warehouse}: nothing can leave from there", warehouse=name)
        session.console.say("warning", "stock.unknown", text, warehouse=name)


def exact_solver() -> Exact:
    """Give the solver. Raises: ConfigError if its package is not installed."""
    try:
        from orderctl.stages.allocating.exact import Exact
    except ImportError as error:
        raise ConfigError(
            Text("--optimize needs an extra package"), hint=Text("pip install orderctl[optimize]")
        ) from error
    return Exact()


def tell_report(session: Session, solver: Exact) -> None:
    """Say how good the plan is; with `--log-format json` the same in numbers."""
    report = solver.report
    if report is None or not report.orders:
        session.console.say(
            "summary", "stock.exact", Text("no stock was scarce: every shipment has its best warehouse")
        )
        return
    saved = 100 * (report.greedy - report.cost) / report.greedy if report.greedy else 0.0
    text = Text(
        "stock: {orders} shipments wanted what is scarce; {saved} % cheaper than dealt out quickly, at most {gap} % above"
        " the best there can be",
        orders=report.orders,
        saved=f"{saved:.2f}",
        gap=f"{report.gap:.2f}",
    )
    session.console.say(
        "summary", "stock.exact", text, orders=report.orders, cost_minor=report.cost, greedy_minor=report.greedy,
        bound_minor=report.bound, gap_percent=round(report.gap, 4),
    )  # fmt: skip
