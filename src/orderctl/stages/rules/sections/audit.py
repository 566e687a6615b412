"""The section `audit` of the rules: how strictly orders are looked at before they may be shipped."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from orderctl.model.money import exponent_of
from orderctl.model.problem import KINDS, Severity
from orderctl.model.text import Text
from orderctl.model.yamlfile import Wrong, reject

HARD = (
    "recipient_incomplete",
    "no_lines",
    "sku_unmapped",
    "sku_map_changed",
    "lines_renumbered",
    "refund_open",
    "not_paid",
    "held",
    "held_by_platform",
    "total_mismatch",
    "total_unverifiable",
    "currency_missing",
    "address_conflict",
    "address_elsewhere",
    "address_ambiguous",
    "address_divided",
    "phone_in_address",
    "nothing_to_ship",
    "wishes_conflict",
)
WEIGHTS = {
    "blacklisted": 60,
    "many_orders": 30,
    "phone_doubtful": 20,
    "value_high": 20,
    "quantity_unusual": 20,
    "total_mismatch": 20,
    "discount_high": 15,
    "address_changed": 15,
    "address_incomplete": 10,
    "address_conflict": 10,
    "free_order": 10,
    "value_low": 10,
    "below_cost": 10,
    "only_gifts": 10,
    "weight_high": 5,
    "notes_changed": 5,
    "wishes_conflict": 5,
    "address_elsewhere": 5,
    "address_ambiguous": 5,
    "address_divided": 5,
    "phone_in_address": 5,
}
"""What a finding adds to the score of an order, unless the rules say otherwise."""
SOFT = (
    "address_incomplete",
    "phone_doubtful",
    "blacklisted",
    "weight_high",
    "value_low",
    "value_high",
    "below_cost",
    "quantity_unusual",
    "discount_high",
    "free_order",
    "only_gifts",
    "many_orders",
    "notes_changed",
    "address_changed",
    "invoice_wanted",
    "promise_near",
    "promise_missed",
    "just_paid",
)
RISK = "risk"
AUDITED = (*HARD, *SOFT, RISK)
MOST_HOURS = 24 * 30

Percent = Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)]
Limit = Annotated[Decimal, Field(ge=0, le=1_000_000_000, decimal_places=3)]


class _Section(BaseModel):
    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, coerce_numbers_to_str=True)


class ManyOrders(_Section):
    """When somebody orders too often. Orders are counted that `fetch` has read, whatever became of them."""

    hours: int = Field(
        24, ge=1, le=MOST_HOURS, description="how long the time is in which orders are counted"
    )
    of_buyer: int | None = Field(
        None, ge=2, description="found from so many orders of one buyer of a shop on"
    )
    of_recipient: int | None = Field(
        None, ge=2, description="found from so many orders to one recipient on, of all shops"
    )


class Risk(_Section):
    """The sum of the weights of what was found and nobody let pass, at most 100."""

    review_from: int = Field(30, ge=1, le=100, description="from this score on the finding risk is a warning")
    block_from: int | None = Field(
        None, ge=1, le=100, description="from this score on a person must let the order pass"
    )
    weights: dict[str, Annotated[int, Field(ge=0, le=100)]] = Field(
        default_factory=dict, description="other weights, by problem code; 0 leaves a finding out"
    )

    @field_validator("weights")
    @classmethod
    def _known(cls, value: dict[str, int]) -> dict[str, int]:
        _all_of(value, (*HARD, *SOFT))
        return value

    @property
    def weight(self) -> dict[str, int]:
        """Give the weight of every finding that has one."""
        return {code: weight for code, weight in (WEIGHTS | self.weights).items() if weight}


class AuditSection(_Section):
    """How strictly orders are looked at before they may be shipped."""

    severity: dict[str, Severity] = Field(
        default_factory=dict,
        description="another severity for a problem code; what nobody may force stays block or wait",
    )
    off: list[str] = Field(
        default_factory=list, description="problem codes that are not looked for; only such as may be forced"
    )
    phone_required: list[str] = Field(
        default_factory=lambda: ["CN", "HK", "MO", "TW"],
        description="countries (ISO 3166-1 alpha-2) in which a parcel without a phone number is not taken",
    )
    test_phones: list[str] = Field(
        default_factory=list, description="further numbers that nobody answers, digits only"
    )
    blacklist: str | None = Field(
        None,
        description="a CSV, XLSX or Parquet file with the columns key and why, beside what was decided with"
        " `ledger decide ORDER blacklist`; keys are hashes",
    )
    max_weight_g: int | None = Field(None, ge=1, description="found where the pieces to ship weigh more")
    min_total: dict[str, Limit] = Field(
        default_factory=dict, description="found where the total is less, by currency"
    )
    max_total: dict[str, Limit] = Field(
        default_factory=dict, description="found where the total is more, by currency"
    )
    min_margin_percent: Percent = Field(
        Decimal(0),
        description="found where less is paid than the catalogue's cost and so much of it; lines without cost are left out",
    )
    max_line_pieces: int | None = Field(
        None, ge=1, description="found where more of one line are to be shipped"
    )
    max_pieces: int | None = Field(None, ge=1, description="found where more pieces are to be shipped in all")
    max_discount_percent: Percent | None = Field(
        None, description="found where the seller takes off more of the price of the goods"
    )
    many_orders: ManyOrders | None = Field(None, description="when somebody orders too often")
    wait_after_payment_minutes: int | None = Field(
        None, ge=1, description="an order waits so long after its payment"
    )
    promise_hours: int | None = Field(
        None,
        ge=0,
        le=MOST_HOURS,
        description="found where so many hours or less are left of the promise, or none",
    )
    risk: Risk | None = Field(None, description="the score of an order; without it none is told")

    @field_validator("severity")
    @classmethod
    def _may_be_changed(cls, value: dict[str, Severity]) -> dict[str, Severity]:
        _all_of(value, (*HARD, *SOFT))
        for code, severity in value.items():
            kind = KINDS[code]
            stops = ("block", "wait")
            if kind.severity in stops and not kind.forceable and severity not in stops:
                raise ValueError(f"{code} always keeps an order from being shipped: block or wait")
        return value

    @field_validator("off")
    @classmethod
    def _may_be_off(cls, value: list[str]) -> list[str]:
        _all_of(value, SOFT)
        return value

    @field_validator("min_total", "max_total")
    @classmethod
    def _exact(cls, value: dict[str, Decimal]) -> dict[str, Decimal]:
        for currency, amount in value.items():
            if amount != round(amount, exponent_of(currency)):
                text = Text("{amount} {currency} cannot be paid", amount=amount, currency=currency)
                reject(Wrong(text, loc=(currency,)))
        return value

    @property
    def asks_ledger(self) -> bool:
        """Tell whether a check needs what the ledger has seen of orders."""
        return self.many_orders is not None or not {"notes_changed", "address_changed"} <= set(self.off)


def _all_of(codes: dict[str, int] | dict[str, Severity] | list[str], known: tuple[str, ...]) -> None:
    for code in codes:
        if code not in known:
            raise ValueError(f"{code} is none of {', '.join(known)}")
