"""Waybill numbers and documents: every number bought once, every page printed once.

First the numbers of all shipments that lack one, then each document as one job per device. Documents are complete
bytes, checked by reading their barcodes back, before a device sees the first of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orderctl.cli.acting import LOOKS, Codes, failed_or_new, judge, ready_rows, revisions, show_plan
from orderctl.cli.config import read_text
from orderctl.cli.desk import actor
from orderctl.cli.facts import with_stock
from orderctl.cli.freshness import stale
from orderctl.cli.issuing import Issuing
from orderctl.cli.session import Session
from orderctl.model.effect import Decision, Effect
from orderctl.model.errors import ConfigError, OutcomeUnknown, UsageError
from orderctl.model.facts import Facts
from orderctl.model.text import Text
from orderctl.ports.content import ContentStore
from orderctl.ports.ledger import Ledger
from orderctl.ports.ledger.perform import Answer, Performed, Result, perform, perform_jobs
from orderctl.ports.printers import connect, parse_device
from orderctl.ports.printers.port import Receipt
from orderctl.stages import documents
from orderctl.stages.documents.words import Language
from orderctl.stages.plans import prints, waybills
from orderctl.stages.plans.rows import Row, clear, note
from orderctl.stages.waves.bins import Shelves

STAGE = "print"
BUY = Codes("waybill_refused", "waybill_later", "waybill_unknown", apart={"sealed": "seal_not_opened"})
PRINT = Codes("print_refused", "print_later", "print_unknown")
JOB_PAGES = (
    50  # a CUPS job costs a second whatever its length, and a jam should not concern a thousand labels
)


@dataclass(frozen=True)
class Wanted:
    """What to print where, and how: document to device; paper size; reprints a person asked for."""

    devices: Mapping[str, str]
    size: str = "76x130"
    dry_run: bool = False
    offline: bool = False
    fresh: int | None = None
    wave: str | None = None
    workers: int = 4


def print_rows(session: Session, rows: list[Row], wanted: Wanted) -> dict[str, int]:
    """Get numbers for `rows` and print their documents, in place; give what this run bought and printed."""
    content = ContentStore(session.state / "content")
    with session.ledger() as ledger:
        key = ledger.identity_key()
        for row in rows:
            clear(row, STAGE)
        stock = with_stock(Facts(), session.config, session.base, ledger).stock
        shelves = session.book.shelves(stock)
        # No number is bought for a device that does not exist.
        jobs = [
            Job(session, ledger, content, name, device, wanted.size, shelves)
            for name, device in wanted.devices.items()
        ]
        chosen = in_walk_order(rows, wanted.wave)
        ready = ready_rows(session, chosen)
        bought = _buy(session, ledger, rows, ready, content, wanted, key)
        done = {"numbers": bought}
        if wanted.dry_run:
            return done
        for job in jobs:
            done[job.document] = job.run([r for r in ready if not _troubled(r)], key)
            _fold_prints(ledger, rows, job.document)
        return done


def in_walk_order(rows: list[Row], wave: str | None) -> list[Row]:
    """Give the rows to print, in the order they are picked: all of them, or those of one `wave`.

    Raises: UsageError if no row is in that wave.
    """
    if wave is None:
        return prints.walk_order(rows)
    known = sorted({row["wave"] for row in rows if prints.in_wave(row)})
    if wave not in known:
        text = Text("no shipment of this batch is in the wave {wave}", wave=wave)
        raise UsageError(text, hint=Text("there are: {waves}", waves=", ".join(known) or "-"))
    return prints.walk_order([row for row in rows if row["wave"] == wave])


def devices_of(session: Session, asked: Sequence[str], device: str | None) -> dict[str, str]:
    """Say which document goes where: as asked, else as configured, else labels to `device`.

    Raises: UsageError for an unknown document, or when there is no device.
    """
    configured = session.config.print.documents
    names = (
        [n for text in asked for n in text.split(",")] or ([] if device else list(configured)) or ["label"]
    )
    found: dict[str, str] = {}
    for name in names:
        if name not in prints.DOCUMENTS:
            known = ", ".join(prints.DOCUMENTS)
            raise UsageError(Text("unknown document {name}: give one of {known}", name=name, known=known))
        target = device or configured.get(name)
        if target is None:
            raise UsageError(
                Text("no device to print {name} on", name=name),
                hint=Text("give --device, or name one under print.documents in orderctl.yaml"),
            )
        found[name] = target
    return found


def reopen(
    session: Session, rows: list[Row], wanted: Wanted, shipments: Sequence[str], reason: str | None
) -> None:
    """Open another revision of the wanted documents of `shipments`, which the next print will print as copies.

    Raises: UsageError without a reason, for a shipment that is not in the batch, or one not printed yet.
    """
    if not reason:
        raise UsageError(Text("--reason is needed: it is journaled with your name"))
    by_id = {row["shipment_id"]: row for row in rows}
    with session.ledger() as ledger:
        for name in shipments:
            if name not in by_id:
                raise UsageError(Text("shipment {name} is not in this batch", name=name))
            for document in wanted.devices:
                for parcel in by_id[name]["parcels"][: None if document == "label" else 1]:
                    subject = prints.subject_of(by_id[name], parcel, document)
                    ledger.reissue(prints.KIND, subject, actor=actor(), reason=reason, now=session.clock())


def _troubled(row: Row) -> bool:
    return any(p["stage"] == STAGE and p["severity"] in ("block", "wait") for p in row["problems"])


def _buy(
    session: Session,
    ledger: Ledger,
    rows: list[Row],
    ready: list[Row],
    content: ContentStore,
    wanted: Wanted,
    key: bytes,
) -> int:
    issuing = Issuing(session, ledger, content)
    ids = [r["shipment_id"] for r in rows]
    known = revisions(ledger, waybills.KIND, ids)
    remembered = {e.subject for e in ledger.entries(waybills.KIND, ids)}
    need = [r for r in ready if r["shipment_id"] in remembered or not all(p["number"] for p in r["parcels"])]
    need = [r for r in need if issuing.serves(r)]
    plan = waybills.plan_waybills(need, key=key, revisions=known)
    if wanted.dry_run:
        show_plan(plan)
        return 0
    new = failed_or_new(ledger, plan)
    by_id = {r["shipment_id"]: r for r in need}
    asked = [by_id[e.subject] for e in plan if e.key in new]
    seconds = session.config.fresh.print_s if wanted.fresh is None else wanted.fresh
    refused = stale(session, ledger, asked, seconds=seconds, stage=STAGE, offline=wanted.offline)
    plan = [e for e in plan if e.subject not in refused or e.key not in new]
    # A local range hands out its numbers in the order of the batch; only calls over the network gain from threads.
    local = {e.key for e in plan if _is_local(session, by_id[e.subject])}
    fresh = 0
    for effects, workers in (
        ([e for e in plan if e.key in local], 1),
        ([e for e in plan if e.key not in local], wanted.workers),
    ):
        for what in perform(
            ledger,
            effects,
            lambda effect: issuing.buy(effect, by_id[effect.subject]),
            now=session.clock,
            lookup=lambda effect: issuing.lookup(effect, by_id[effect.subject]),
            workers=workers,
        ):
            if judge(session, what, by_id[what.effect.subject], STAGE, BUY):
                fresh += what.decision == "begin"
    _fold_numbers(ledger, rows)
    return fresh


def _is_local(session: Session, row: Row) -> bool:
    """Say whether the number is ours to give: the courier knows nothing but the label, which must tell it all."""
    issuer = session.config.issuers.get(row["issuer"] or "")
    return issuer is not None and issuer.kind == "number_range"


def _fold_numbers(ledger: Ledger, rows: list[Row]) -> None:
    found = ledger.entries(waybills.KIND, [r["shipment_id"] for r in rows])
    done = {e.subject: e for e in sorted(found, key=lambda e: e.revision) if e.state == "done"}
    for row in rows:
        entry = done.get(row["shipment_id"])
        if entry and entry.result:
            waybills.fold_waybill(row, entry.result)


def _fold_prints(ledger: Ledger, rows: list[Row], document: str) -> None:
    subjects = {
        prints.subject_of(row, parcel, document): (row, parcel["parcel_no"])
        for row in rows
        for parcel in row["parcels"]
    }
    for entry in ledger.entries(prints.KIND, list(subjects)):
        if entry.state == "done" and entry.result:
            row, parcel_no = subjects[entry.subject]
            prints.fold_print(row, parcel_no, document, entry.revision, entry.result)


class Job:
    """One document of many shipments on its way to one device."""

    def __init__(
        self,
        session: Session,
        ledger: Ledger,
        content: ContentStore,
        document: str,
        device: str,
        size: str,
        shelves: Shelves,
    ) -> None:
        self.session = session
        self.ledger = ledger
        self.content = content
        self.document = document
        self.device = device
        self.size = size
        self.shelves = shelves
        self.text = device_text(session, device)
        self.kind = parse_device(self.text).kind
        self.printer = connect(self.text)
        self._sheets: dict[str, prints.Sheet] = {}
        self._looked: dict[str, Receipt | None] = {}

    def run(self, rows: Sequence[Row], key: bytes) -> int:
        """Print what is not printed yet; give how many shipments' documents this run printed."""
        subjects = [prints.subject_of(r, p, self.document) for r in rows for p in r["parcels"]]
        known = revisions(self.ledger, prints.KIND, subjects)
        sheets = self._printable(prints.plan_prints(rows, self.document, key=key, revisions=known))
        self._sheets = {sheet.effect.key: sheet for sheet in sheets}
        effects = [
            e for number, part in enumerate(self._parts(sheets), start=1) for e in self._named(part, number)
        ]
        done = perform_jobs(
            self.ledger, effects, self._send, now=self.session.clock, lookup=self._lookup, kinds=LOOKS
        )
        alike = Counter(_ending(what) for what in done)  # a jam is one thing to tell, not one for each page
        printed = 0
        for what in done:
            others = alike.pop(_ending(what), None)
            row = self._sheets[what.effect.key].row
            good = judge(self.session, what, row, STAGE, PRINT, others=None if others is None else others - 1)
            printed += good and what.decision == "begin"
        return printed

    def _named(self, sheets: list[prints.Sheet], number: int) -> list[Effect]:
        job = f"{self.ledger.run_id}/{self.document}-{number}/{self.text}"
        return [replace(sheet.effect, job=job) for sheet in sheets]

    def _printable(self, sheets: list[prints.Sheet]) -> list[prints.Sheet]:
        """Leave out what cannot be printed as it stands, so that it does not stop the others; its row says why."""
        labels = [self._label(sheet, 1, len(sheets)) for sheet in sheets]
        if self.document == "label":
            faults = dict(documents.find_faults(labels, size=self.size, **self._style()))
        else:
            found = (
                documents.find_unprintable_cards(labels)
                if self.document == "card"
                else documents.find_unprintable(labels)
            )
            faults = {
                row: Text("no glyph for {characters}", characters=characters) for row, _, characters in found
            }
        for row, why in faults.items():
            note(sheets[row].row, STAGE, "unprintable", document=self.document, why=str(why))
            self.session.tally.blocked += 1
        return [sheet for row, sheet in enumerate(sheets) if row not in faults]

    def _parts(self, sheets: list[prints.Sheet]) -> list[list[prints.Sheet]]:
        """Cut sheets into jobs: a file takes all; a device takes pages of one wave and size, a jam's worth at a time."""
        if self.kind in ("file", "escpos-file") or self.document != "label":
            return [sheets] if sheets else []
        by_size: dict[tuple[str | None, tuple[float, float]], list[prints.Sheet]] = defaultdict(list)
        for sheet in sheets:
            wave = sheet.row["wave"] if prints.in_wave(sheet.row) else None
            by_size[wave, documents.label_size(self._label(sheet, 1, 1), self.size)].append(sheet)
        return [same[i : i + JOB_PAGES] for same in by_size.values() for i in range(0, len(same), JOB_PAGES)]

    def _label(self, sheet: prints.Sheet, sequence: int, total: int) -> documents.Label:
        row, parcel = sheet.row, sheet.row["parcels"][sheet.parcel_index]
        supplied = parcel["label"] if self.document == "label" else None
        content = self.content.get(supplied["ref"]) if supplied and supplied["ref"] else None
        if self.document != "label":
            row = {**row, "parcels": [{**p, "label": None} for p in row["parcels"]]}
        warehouse = self.session.config.warehouses.get(row["warehouse"] or "")
        place = prints.in_wave(row) or prints.InWave(sequence, total, "")
        return documents.to_label(
            row,
            sheet.parcel_index,
            sender=_sender(warehouse.sender.model_dump()) if warehouse else {},
            sequence=place.sequence,
            total=place.total,
            position=place.position,
            copy=sheet.effect.revision - 1,
            mask=self.session.config.print.mask and not _is_local(self.session, row),
            locations=self.shelves.of(row["warehouse"]),
            supplied=content,
            size=row["template"] if self.document == "label" else None,
            language=_language(self.session, row),
        )

    def _send(self, effects: Sequence[Effect]) -> list[Result]:
        sheets = [self._sheets[e.key] for e in effects]
        document = self._document(sheets)
        receipt = self.printer.send(document, title=_title(effects[0].job))
        text = Text(
            "{document}: {count} to {device}", document=self.document, count=len(sheets), device=self.device
        )
        self.session.console.say("info", "job.sent", text, job=effects[0].job, detail=receipt.detail)
        return [self._told(receipt, page, self.text) for page in range(1, len(sheets) + 1)]

    def _lookup(self, effect: Effect) -> Answer:
        """Ask the device the interrupted job went to, whichever is wanted now, whether it has seen it."""
        pages = self.ledger.entries(job=effect.job)
        if any(page.key not in self._sheets for page in pages):
            raise OutcomeUnknown(
                Text("job {job} is not wholly in this batch", job=effect.job), code="other_batch"
            )
        if effect.job not in self._looked:
            document = self._document([self._sheets[page.key] for page in pages])
            printer = self.printer if _text_of(effect.job) == self.text else connect(_text_of(effect.job))
            self._looked[effect.job or ""] = printer.lookup(document, title=_title(effect.job))
        receipt = self._looked[effect.job or ""]
        page = next(p.page or 1 for p in pages if p.key == effect.key)
        return "absent" if receipt is None else self._told(receipt, page, _text_of(effect.job))

    def _told(self, receipt: Receipt, page: int, text: str) -> dict[str, Any]:
        at = self.session.clock()
        return {
            "device": self.device if text == self.text else text,
            "at": at,
            "confirmed": receipt.confirmed,
            "page": page,
            "detail": receipt.detail,
        }

    def _document(self, sheets: Sequence[prints.Sheet]) -> documents.Document:
        labels = [self._label(sheet, page, len(sheets)) for page, sheet in enumerate(sheets, start=1)]
        style = self._style()
        if self.document == "label":
            found = documents.render_labels(labels, size=self.size, **style)
            # what is on a supplied label is its maker's business; ours must show the number they are for
            documents.check_labels(
                found, [None if label["supplied"] else label["number"] for label in labels]
            )
            return found
        if self.document == "packing-slip":
            return documents.render_packing_slips(labels, **style)
        if self.document == "card":
            return documents.render_cards(labels, **style)
        if self.document == "picklist":
            return documents.render_picklist(labels, **style, stops=self.shelves.stops)
        return documents.render_receipt(labels, language=style["language"])

    def _style(self) -> dict[str, Any]:
        """Give language and template of this document, a template of the seller's own by its file's name."""
        configured = self.session.config.print
        own = configured.templates.get(self.document)
        if own is None:
            return {"language": configured.language}
        text = read_text(self.session.base / own)
        return {"language": configured.language, "template": text, "source": own}


def _ending(what: Performed) -> tuple[object, ...]:
    """Say how an effect ended; equal for the pages of one job that failed as one, never for two conflicts."""
    apart = what.effect.key if what.decision is Decision.CONFLICT else id(what.failure)
    return what.decision, what.outcome.state, what.outcome.error, apart


def _text_of(job: str | None) -> str:
    """Give the device a job was named for."""
    return (job or "").split("/", 2)[2]


def _language(session: Session, row: Row) -> Language | None:
    """Give the language of the shop whose buyers see the document."""
    shop = session.config.shops.get(row["orders"][0]["shop"])
    return shop.language if shop else None


def _title(job: str | None) -> str:
    return f"orderctl {job}"


def _sender(sender: Mapping[str, Any]) -> dict[str, Any]:
    parts = [sender[k] for k in ("province", "city", "district", "street") if sender[k]]
    domestic = sender["country"] == "CN"
    return {**sender, "address": "".join(dict.fromkeys(parts)) if domestic else ", ".join(reversed(parts))}


def device_text(session: Session, name: str) -> str:
    """Give the address of a device, a name of the configuration or an address itself, the same from every folder."""
    text = session.config.devices.get(name, name)
    kind, colon, path = text.partition(":")
    if kind in ("file", "escpos-file") and path:
        base = session.base if name in session.config.devices else Path()
        return f"{kind}:{(base / Path(path).expanduser()).absolute()}"
    if not colon:
        known = ", ".join(session.config.devices) or "-"
        raise ConfigError(
            Text("no device {name} in the configuration (there are: {known})", name=name, known=known)
        )
    return text
