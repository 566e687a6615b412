"""In which wave a shipment goes, as it stands in its trail: a wave is made of many, so it is not decided again here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from orderctl.model.text import Text
from orderctl.stages.conditions.facts import Moment, facts_frame
from orderctl.stages.explaining.judged import Looked, StepExplained, look
from orderctl.stages.rules.book import RuleBook
from orderctl.stages.waves.grouping import wave_facts
from orderctl.stages.waves.placing import STEP


def wave_step(frame: pl.DataFrame, book: RuleBook, moment: Moment) -> StepExplained | None:
    """Say which wave the one shipment of `frame` is in, with the rules that were asked; None if it is in none."""
    steps = [step for step in frame["decision"].to_list()[0] if step["step"] == STEP]
    if not steps:
        return None
    (step,) = steps
    section = book.rules.waves
    looked: list[Looked] = []
    if section is not None:
        facts = facts_frame(frame, wave_facts(section), moment)
        for number, rule in enumerate(section.rules):
            found = look(rule, book.place("waves", "rules", number), facts)
            if found.verdict == "match" and rule.name != step["rule"]:
                text = Text(
                    "the rule wants {count} or more together of the kind {kind}",
                    count=rule.at_least,
                    kind=rule.kind,
                )
                found = Looked(rule.name, found.place, "no", text)
            looked.append(found)
            if rule.name == step["rule"]:
                break
    return StepExplained(STEP, step["outcome"], step["reason"], tuple(looked), told=tuple(_told(step)))


def _told(step: Mapping[str, Any]) -> Iterator[Text]:
    told = {p["name"]: p["value"] for p in step["params"]}
    yield Text("place {place} of {of}", place=told.get("place") or "?", of=told.get("of") or "?")
    if "position" in told:
        yield Text("slot {position} of the sorting wall", position=told["position"])
    names = {
        "zone": Text("zone"),
        "courier": Text("courier"),
        "cutoff": Text("cut-off"),
        "size": Text("size class"),
    }
    for name, word in names.items():
        if name in told:
            yield Text("{name} {value}", name=word, value=told[name])
