"""orderctl ledger pending | resolve | show | verify"""

from __future__ import annotations

from typing import Annotated

import typer

from orderctl.cli.options import OutputOpt
from orderctl.cli.session import Session

JsonOpt = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
KeyArg = Annotated[
    str, typer.Argument(metavar="KEY", help="The key of an effect, or the name of a print job.")
]
AsOpt = Annotated[
    str | None, typer.Option("--as", metavar="STATE", help="What really happened: done, failed or voided.")
]
NumberOpt = Annotated[str | None, typer.Option("--number", help="The waybill number, where one was bought.")]
ThroughOpt = Annotated[
    int | None,
    typer.Option("--printed-through", metavar="K", help="Of a print job: the last page that is on paper."),
]
ReasonOpt = Annotated[str, typer.Option("--reason", help="Why; it is journaled with your name.")]
EffectArg = Annotated[
    str, typer.Argument(metavar="KEY", help="The key of an effect, as ledger pending and show tell it.")
]
DecisionArg = Annotated[
    str, typer.Argument(metavar="DECISION", help="pin, force, blacklist, sku, never_merge or always_merge.")
]
PayloadOpt = Annotated[
    str | None,
    typer.Option(
        "--payload",
        metavar="JSON",
        help='What is decided: {"courier": "SF"} for a pin, {"code": CODE} for a force, {"of": ["buyer"]} of a blacklist.',
    ),
]
DecidedArg = Annotated[
    str, typer.Argument(metavar="ID", help="An order, a line, an article, a buyer or a shipment: see above.")
]
WithdrawOpt = Annotated[bool, typer.Option("--withdraw", help="Take the decision back.")]
SubjectArg = Annotated[
    str, typer.Argument(metavar="ID", help="An order, a shipment or the key of an effect.")
]


def pending(session: Session, as_json: JsonOpt = False) -> None:
    """List every effect that may have happened or is in conflict, and what to do about it."""
    from orderctl.cli.desk import show_pending

    show_pending(session, as_json=as_json)


def resolve(
    session: Session,
    key: KeyArg,
    outcome: AsOpt = None,
    number: NumberOpt = None,
    printed_through: ThroughOpt = None,
    reason: ReasonOpt = "",
) -> None:
    """Tell the ledger what really happened to an unknown effect or print job."""
    from orderctl.cli.desk import resolve_entry

    resolve_entry(
        session, key, outcome=outcome, number=number, printed_through=printed_through, reason=reason
    )


def show(session: Session, subject: SubjectArg, as_json: JsonOpt = False) -> None:
    """Show all the ledger remembers of an order or a shipment."""
    from orderctl.cli.desk import show_subject

    show_subject(session, subject, as_json=as_json)


def verify(session: Session) -> None:
    """Check the ledger file and that what it remembers agrees with itself."""
    from orderctl.cli.desk import verify_ledger

    verify_ledger(session)


HELP = "See and settle what the ledger remembers."


def reissue(session: Session, key: EffectArg, reason: ReasonOpt = "") -> None:
    """Open the next revision of an effect that is done, failed or voided: the next run does it once more, on purpose."""
    from orderctl.cli.desk import reissue_effect

    reissue_effect(session, key, reason)


def leave(session: Session, key: EffectArg, reason: ReasonOpt = "") -> None:
    """Leave a conflict as it is: what was done counts as what is wanted now."""
    from orderctl.cli.desk import leave_conflict

    leave_conflict(session, key, reason)


def decide(
    session: Session,
    subject: DecidedArg,
    decision: DecisionArg,
    payload: PayloadOpt = None,
    reason: ReasonOpt = "",
    withdraw: WithdrawOpt = False,
) -> None:
    """Keep what a person decided of an order or shipment; later runs of normalize, merge and route follow it.

    pin, of an order or shipment: it goes with this warehouse, courier, service, account or issuer: {"courier": "SF"}.

    release, of an order or shipment: the holds of these rules are over: {"hold": "NAME"}.

    force, of an order: these findings of the audit may pass: {"code": "value_high"}.

    blacklist, of an order: nothing goes any more to who is behind it, or only {"of": ["buyer"]}.

    sku, of ORDER/LINE, or of PLATFORM:SHOP: and the platform's SKU or the merchant code: what it is of ours:
    {"sku": "A-1", "pieces": 2}.

    never_merge, of an order or buyer:PLATFORM:SHOP:BUYER: nothing shares its parcel, or none of {"with": [ORDER]}.

    always_merge, of an order: {"with": [ORDER]} go with it, to its recipient.
    """
    from orderctl.cli.desk import record_decision

    record_decision(session, subject, decision, payload, reason, withdraw=withdraw)


def decisions(session: Session) -> None:
    """Write the decisions in force as JSON lines."""
    from orderctl.cli.desk import show_decisions

    show_decisions(session)


def facts(session: Session, output: OutputOpt = "-") -> None:
    """Write what merge and route know besides batch and rules, for --facts: the same facts make the same decisions."""
    from orderctl.cli.desk import write_facts

    write_facts(session, output)


SUBCOMMANDS = {
    "pending": pending,
    "resolve": resolve,
    "reissue": reissue,
    "leave": leave,
    "show": show,
    "verify": verify,
    "decide": decide,
    "decisions": decisions,
    "facts": facts,
}
