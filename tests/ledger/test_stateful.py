"""Two operators, late orders, changed stock, a flaky world and death at any step: each piece is sent once.

The machine plans on what an operator knows at some moment, performs it at some later one, and lets other things
happen in between and in the middle. Whatever the order of all that, nothing is done twice, and in the end everything
is sent and nothing waits.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.ledger.world import HOUR, Crash, Dispatch, Steps, World

MEMORY = Path("/dev/shm")
FAULTS = st.lists(
    st.sampled_from(["none", "none", "refused", "temporary", "lost", "silent", "slow"]), max_size=12
)


class TwoOperators(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.world = World(self.folder / "ledger.db")
        self.plans: list[list[Dispatch]] = [[], []]

    @rule(recipient=st.sampled_from(["甲", "乙"]), quantity=st.integers(1, 3))
    def an_order_arrives(self, recipient: str, quantity: int) -> None:
        self.world.order(recipient, quantity)

    @rule(operator=st.integers(0, 1), alone=st.booleans(), stock=st.integers(1, 3))
    def an_operator_plans(self, operator: int, alone: bool, stock: int) -> None:
        with self.world.looking() as ledger:
            self.plans[operator] = self.world.plan(ledger, alone=alone, stock=stock)

    @rule(
        operator=st.integers(0, 1),
        faults=FAULTS,
        fatal=st.none() | st.integers(0, 60),
        workers=st.sampled_from([1, 1, 1, 3]),
    )
    def an_operator_performs(self, operator: int, faults: list[str], fatal: int | None, workers: int) -> None:
        steps = Steps()
        steps.fatal = fatal
        self.perform(operator, faults, steps, workers)

    @precondition(lambda self: all(self.plans))
    @rule(faults=FAULTS, fatal=st.none() | st.integers(0, 60), meeting=st.integers(0, 40))
    def the_other_performs_in_the_middle(self, faults: list[str], fatal: int | None, meeting: int) -> None:
        steps = Steps()
        steps.fatal = fatal
        steps.meanwhile[meeting] = lambda: self.perform(1, [], Steps(), 1)
        self.perform(0, faults, steps, 1)

    @rule(seconds=st.sampled_from([1, 50, 300, HOUR]))
    def time_passes(self, seconds: int) -> None:
        self.world.later(seconds)

    @rule()
    def a_person_looks_at_the_paper(self) -> None:
        self.world.look_at_paper()

    @invariant()
    def nothing_is_twice_or_lost(self) -> None:
        self.world.check()

    def perform(self, operator: int, faults: list[str], steps: Steps, workers: int) -> None:
        self.world.books.faults = iter(faults)
        ledger = self.world.open(steps)
        try:
            self.world.perform(ledger, self.plans[operator], workers=workers)
        except Crash:
            ledger.die()
        else:
            ledger.close()

    def teardown(self) -> None:
        """However it went: a few calm rounds send everything, and then nothing waits."""
        self.world.books.faults = iter(())
        for _ in range(3):
            self.world.later(HOUR)
            with self.world.looking() as ledger:
                self.plans[0] = self.world.plan(ledger, alone=False, stock=9)
            self.perform(0, [], Steps(), 1)
            self.world.look_at_paper()
        self.world.check()
        assert self.world.sent() == {order: quantity for order, (_, quantity) in self.world.orders.items()}
        with self.world.looking() as ledger:
            assert [str(p.what) for p in ledger.pending(self.world.now)] == []
        shutil.rmtree(self.folder)


TestTwoOperators = TwoOperators.TestCase
TestTwoOperators.settings = settings(
    max_examples=60, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
