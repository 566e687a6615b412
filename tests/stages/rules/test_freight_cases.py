"""Freight as columns is the freight of the price sheet, worked out in decimals: for random tariffs and shipments.

ORDERCTL_FREIGHT_CASES says how many (`make freight`: 100,000); ORDERCTL_FREIGHT_SEED where to begin.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

from tests.stages.rules.freight_cases import DAYS, TIMES, random_shipment, random_tariff
from tests.stages.rules.freight_pricing import MOMENTS, priced
from tests.stages.rules.freight_reference import freight_minor

CASES = int(os.environ.get("ORDERCTL_FREIGHT_CASES", "2000"))
SEED = int(os.environ.get("ORDERCTL_FREIGHT_SEED", "1"))
TARIFFS, SHIPMENTS = 10, 100  # of one book


def test_columns_equal_the_decimals_of_the_sheet() -> None:
    seen: Counter[str] = Counter()
    for at in range(0, CASES, SHIPMENTS):
        random = Random(SEED * 1_000_003 + at)
        tariffs = [random_tariff(random, number) for number in range(TARIFFS)]
        shipments = [random_shipment(random, TARIFFS) for _ in range(min(SHIPMENTS, CASES - at))]
        local = random.choice([None, *((day, time) for day in DAYS for time in TIMES)])
        found = priced(tariffs, shipments, MOMENTS[local])
        for number, (shipment, minor) in enumerate(zip(shipments, found, strict=True)):
            wanted = freight_minor(tariffs, shipment, local)
            assert minor == wanted, f"book {at}, shipment {number}, routed {local}: {shipment}"
            seen["priced" if wanted is not None else "without a price"] += 1
    print(f"{seen.total()} cases: " + ", ".join(f"{count} {what}" for what, count in seen.items()))
    assert seen.total() == CASES
    assert seen["priced"] > CASES // 4
