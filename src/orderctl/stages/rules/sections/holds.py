"""The section `holds` of the rules: which routed shipments wait, and why."""

from __future__ import annotations

from pydantic import Field

from orderctl.model.yamlfile import Section
from orderctl.stages.rules.sections.templates import WhenCarried


class HoldRule(Section):
    """One rule; the first that matches makes the shipment wait, for as long as it matches."""

    name: str = Field(min_length=1, description="how the decision trail calls it")
    when: WhenCarried = Field(None, description="the condition; a rule without one always matches")
    why: str | None = Field(None, description="what to tell the person who asks; else the name")
