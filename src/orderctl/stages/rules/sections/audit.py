"""The section `audit` of the rules: how strictly orders are looked at before they may be shipped."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from orderctl.model.problem import KINDS, Severity

AUDITED = (
    "recipient_incomplete",
    "no_lines",
    "sku_unmapped",
    "sku_map_changed",
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


class AuditSection(BaseModel):
    """How strictly orders are looked at before they may be shipped."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    severity: dict[str, Severity] = Field(
        default_factory=dict,
        description="another severity for a problem code; what nobody may force stays block or wait",
    )
    phone_required: list[str] = Field(
        default_factory=lambda: ["CN", "HK", "MO", "TW"],
        description="countries (ISO 3166-1 alpha-2) in which a parcel without a phone number is not taken",
    )

    @field_validator("severity")
    @classmethod
    def _may_be_changed(cls, value: dict[str, Severity]) -> dict[str, Severity]:
        for code, severity in value.items():
            if code not in AUDITED:
                raise ValueError(f"{code} is none of {', '.join(AUDITED)}")
            kind = KINDS[code]
            stops = ("block", "wait")
            if kind.severity in stops and not kind.forceable and severity not in stops:
                raise ValueError(f"{code} always keeps an order from being shipped: block or wait")
        return value
