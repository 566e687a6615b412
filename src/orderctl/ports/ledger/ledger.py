"""The ledger: one object, one file, everything that is remembered between runs.

Each method is one transaction. Invariant: what a method has returned is on disk and outlives a power cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import polars as pl

from orderctl.model.effect import JSON, KINDS, Effect, Entry, Kind, Outcome, Ruling
from orderctl.model.schema import conform
from orderctl.model.text import Text
from orderctl.ports.ledger import commitments, effects, people, records, versions
from orderctl.ports.ledger import pending as waiting
from orderctl.ports.ledger import verify as checks
from orderctl.ports.ledger.database import Database
from orderctl.ports.ledger.journal import read_journal, write_event
from orderctl.ports.ledger.lease import Lease
from orderctl.ports.ledger.pending import Pending
from orderctl.ports.ledger.tokens import Vault
from orderctl.ports.ledger.turns import Turns

Named: TypeAlias = Ruling | Effect | str


class Ledger:
    """The memory of effects and commitments, in one SQLite file. Threads of a run may share it."""

    def __init__(self, path: Path, *, run_id: str, host: str, key: str | None = None) -> None:
        self.path = path
        self.run_id = run_id
        self._database = Database(path)
        self._lease = Lease(path.parent, run_id, host)
        self._vault = Vault(path.parent, key)
        self._turns = Turns(path.parent)

    @classmethod
    def open(cls, path: Path, *, run_id: str, host: str, key: str | None = None) -> Self:
        """Open the ledger at `path`, made if there is none.

        Args:
            path: the file; locks of runs and the key of tokens lie beside it.
            run_id: names this run, and no other ever; it becomes the name of a file.
            host: names this machine.
            key: encrypts tokens (32 bytes, URL-safe base64); without it, `ledger.key` beside the file does.

        Raises: CannotCreate if it cannot be opened or made; ConfigError if it is no ledger, damaged, or of a newer version.
        """
        return cls(path, run_id=run_id, host=host, key=key)

    def close(self) -> None:
        """End the run: what it has left started belongs to nobody now."""
        if self._lease.is_taken:
            with self._database.writing() as db:
                self._lease.end(db)
        self._database.close()
        self._lease.drop()
        self._turns.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # effects

    def begin(self, wanted: Sequence[Effect], now: str, kinds: Mapping[str, Kind] = KINDS) -> list[Ruling]:
        """Rule on every effect, in order; those that begin (or repeat) are "started" on disk with their claims.

        All in one transaction, so the effects of a job begin together. Raises: ValueError if a job was begun before.
        """
        self._act(now)
        with self._database.writing() as db:
            return effects.begin(db, wanted, self._lease, now, kinds)

    def take_over(
        self, wanted: Sequence[Effect], now: str, kinds: Mapping[str, Kind] = KINDS
    ) -> list[Ruling]:
        """Own those silent effects that can be looked up, so that one run asks and settles; give them."""
        with self._database.reading() as db:
            if not effects.are_silent(db, [e.key for e in wanted]):
                return []
        self._act(now)
        with self._database.writing() as db:
            return effects.take_over(db, wanted, self._lease, now, kinds)

    def settle(self, what: Named, outcome: Outcome) -> bool:
        """Write how an effect ended; False (and noted for a person) if another run has taken it over meanwhile."""
        return self.settle_many([(what, outcome)])[0]

    def settle_many(self, ended: Iterable[tuple[Named, Outcome]]) -> list[bool]:
        """Write how several effects ended, in one transaction; see `settle`."""
        with self._database.writing() as db:
            return [effects.settle(db, *_address(what), outcome, self.run_id) for what, outcome in ended]

    def entry(self, key: str) -> Entry | None:
        """Give what is remembered under `key`, None if nothing."""
        with self._database.reading() as db:
            return effects.read_entry(db, key)

    def entries(
        self,
        kind: str | None = None,
        subjects: Iterable[str] | None = None,
        *,
        keys: Iterable[str] | None = None,
        shipments: Iterable[str] | None = None,
        job: str | None = None,
    ) -> list[Entry]:
        """Give the entries that match everything that is asked: pages of a job in their order, the rest by key."""
        with self._database.reading() as db:
            return effects.read_entries(
                db, kind=kind, subject=subjects, key=keys, shipment_id=shipments, job=job
            )

    def pending(self, now: str, kinds: Mapping[str, Kind] = KINDS) -> list[Pending]:
        """List what waits: silent effects, then conflicts, each with what to do next."""
        with self._database.reading() as db:
            return waiting.read_pending(db, self._lease, now, kinds)

    def resolve(
        self,
        name: str,
        *,
        outcome: Outcome | None = None,
        actor: str,
        reason: str,
        now: str,
        printed_through: int | None = None,
    ) -> list[Entry]:
        """Settle the silent effect or job called `name` as a person found it; a done effect may be voided.

        With `printed_through` K, pages 1 to K of the job are done and the later ones did not happen.
        Raises: UsageError if nothing waits under that name, or a living run is at it.
        """
        with self._database.writing() as db:
            return waiting.resolve(
                db,
                name,
                outcome,
                self._lease,
                actor=actor,
                reason=reason,
                now=now,
                printed_through=printed_through,
            )

    def leave(self, key: str, *, actor: str, reason: str, now: str) -> None:
        """Leave a conflict as it is: what was done counts as what is wanted. Raises: UsageError if there is none."""
        with self._database.writing() as db:
            waiting.leave(db, key, run=self.run_id, actor=actor, reason=reason, now=now)

    # revisions and decisions of people

    def current_revision(self, kind: str, subject: str, purpose: str = "sale") -> int:
        """Give the newest revision a person has opened, 1 if nobody has."""
        with self._database.reading() as db:
            return people.read_revision(db, kind, subject, purpose)

    def reissue(
        self, kind: str, subject: str, *, actor: str, reason: str, now: str, purpose: str = "sale"
    ) -> int:
        """Open the next revision of an effect, for a second act on purpose, and give its number.

        Raises: UsageError unless the revision before is done, failed or voided.
        """
        with self._database.writing() as db:
            return people.open_revision(
                db, kind, subject, purpose, run=self.run_id, actor=actor, reason=reason, now=now
            )

    def decide(
        self, subject: str, decision: str, reason: str, actor: str, at: str, payload: JSON = None
    ) -> None:
        """Keep what a person decided about `subject`, in place of the same decision before."""
        with self._database.writing() as db:
            people.write_decision(
                db,
                subject,
                decision,
                payload,
                run=self.run_id,
                reason=reason,
                actor=actor,
                at=at,
                withdrawn=False,
            )

    def withdraw(self, subject: str, decision: str, reason: str, actor: str, at: str) -> None:
        """Take a decision back; it stays in the history."""
        with self._database.writing() as db:
            people.write_decision(
                db,
                subject,
                decision,
                None,
                run=self.run_id,
                reason=reason,
                actor=actor,
                at=at,
                withdrawn=True,
            )

    def decisions(self) -> pl.DataFrame:
        """Give the decisions in force: subject, decision, payload (JSON text), reason, actor, at."""
        with self._database.reading() as db:
            return people.read_decisions(db)

    # what pure stages are told

    def commitments(self, order_ids: Sequence[str] | None = None, *, purpose: str = "sale") -> pl.DataFrame:
        """Give the lines bound to shipments (columns `commitments.COMMITMENT`), of some orders or of all."""
        with self._database.reading() as db:
            return commitments.read_commitments(db, order_ids, purpose)

    def save_versions(self, raw: pl.DataFrame) -> int:
        """Keep each raw record that is newer than what is stored of its order; give how many were."""
        rows = conform(raw, "raw/1").iter_rows(named=True)
        with self._database.writing() as db:
            return versions.save_versions(db, rows)

    def newest_versions(
        self, order_ids: Sequence[str] | None = None, *, shop: str | None = None, since: str | None = None
    ) -> pl.DataFrame:
        """Give the newest stored raw record of each order, in the order of order ids.

        Of all orders, or of those named, of one `shop` (platform:shop), or observed since an instant.
        """
        with self._database.reading() as db:
            return versions.read_versions(db, order_ids, shop, since)

    # what a fetch reads and hands on; `shop` is platform:shop, but a cursor's and a turn's is the shop's id

    def take_turn(self, shop: str) -> bool:
        """Have the stream of changes of a shop to this run until it ends; False if another run has it just now."""
        return self._turns.take(shop)

    def save_page(
        self,
        rows: Sequence[versions.Row],
        now: str,
        *,
        stream: tuple[str, str] | None,
        cursor: str | None = None,
    ) -> None:
        """Keep a page of raw records. Either all of it is on disk then, or nothing.

        Read by a `stream` (shop id, name) its orders are due as far as they differ from what that handed on last, and
        `cursor` says how to go on after them. Without, this run wants to hand them on, and the stream knows nothing.
        """
        names = [versions.order_id_of(row) for row in rows]
        with self._database.writing() as db:
            versions.save_versions(db, rows)
            if stream is None:
                versions.want(db, names)
                return
            versions.note_due(db, names)
            if cursor is not None:
                records.write_cursor(db, *stream, cursor, now)

    def want_open(self, shop: str, since: str) -> None:
        """Hand on, too, what was seen since then and may still have to be shipped, as far as `note_looked` has told."""
        with self._database.writing() as db:
            versions.want_open(db, shop, since)

    def handout(self, shops: Iterable[str], *, stream: bool, rows: int) -> Iterator[pl.DataFrame]:
        """Give what is to be handed on, shop by shop, oldest change first: raw batches of at most so many rows.

        That is what this run wanted and, for the `stream`, what is due. Each order comes once, in its newest version.
        """
        with self._database.writing() as db:
            versions.line_up(db, shops, stream=stream)
        last = 0
        while True:
            with self._database.writing() as db:
                frame, last = versions.read_handout(db, last, rows)
            if not frame.height:
                return
            yield frame

    def settle_handout(self) -> None:
        """Note that what `handout` gave has arrived: the stream will not give it again unless it changes."""
        with self._database.writing() as db:
            versions.settle_handout(db)

    def unlooked(self, shop: str, rows: int) -> tuple[pl.DataFrame, dict[str, str]]:
        """Give some versions of a shop that `note_looked` told nothing of, and their hashes by order id."""
        with self._database.reading() as db:
            return versions.read_unlooked(db, shop, rows)

    def note_looked(self, found: Mapping[str, versions.Looked], hashes: Mapping[str, str]) -> None:
        """Keep what was found in versions (by order id), unless they were replaced meanwhile."""
        with self._database.writing() as db:
            versions.note_looked(db, found, hashes)

    def seen(
        self, since: str, until: str, *, of_buyer: int | None = None, of_recipient: int | None = None
    ) -> pl.DataFrame:
        """Give what was noticed of orders over time (columns SEEN): what has changed, and who ordered often from then to then.

        Often is at least so many orders of one buyer, or to one recipient; None asks for none.
        """
        with self._database.reading() as db:
            return versions.read_seen(db, since, until, of_buyer, of_recipient)

    def history(self) -> pl.DataFrame:
        """Give the paid orders of every buyer who has more than one (columns HISTORY)."""
        with self._database.reading() as db:
            return versions.read_history(db)

    def bought(self, since: str, until: str) -> pl.DataFrame:
        """Give how many parcels of each courier account began to get their numbers then (columns BOUGHT)."""
        with self._database.reading() as db:
            return commitments.read_bought(db, since, until)

    def places(self, shop: str, since: str) -> list[tuple[str, int]]:
        """Give the places with open orders seen since then, one of which was not asked about yet, and their number."""
        with self._database.reading() as db:
            return versions.read_places(db, shop, since)

    def at_places(
        self, shop: str, places: Sequence[str], since: str, *, after: versions.Spot = ("", 0), rows: int
    ) -> tuple[pl.DataFrame, versions.Spot]:
        """Give so many open orders seen since then at these places (a raw batch, place by place), and where to go on."""
        with self._database.reading() as db:
            return versions.read_at_places(db, shop, places, since, after, rows)

    def save_facts(self, shop: str, asked: Sequence[str], facts: Mapping[str, str]) -> None:
        """Keep what the platform told (platform_ref to JSON text) about the orders `asked` about, with their versions."""
        with self._database.writing() as db:
            versions.save_facts(db, shop, asked, facts)

    # sources and numbers

    def cursor(self, shop: str, stream: str) -> str | None:
        """Give how far `stream` of `shop` was read, None if never."""
        with self._database.reading() as db:
            return records.read_cursor(db, shop, stream)

    def set_cursor(self, shop: str, stream: str, value: str, now: str) -> None:
        """Remember how far `stream` of `shop` was read."""
        with self._database.writing() as db:
            records.write_cursor(db, shop, stream, value, now)

    def bind_shop(self, shop: str, platform: str, platform_shop_id: str, now: str) -> None:
        """Bind our shop id to the platform's own, for ever. Raises: ConfigError if either is bound otherwise."""
        with self._database.writing() as db:
            if records.bind_shop(db, shop, platform, platform_shop_id, now):
                write_event(db, self.run_id, now, "shop.bound", subject=shop, data={"platform": platform})

    def token(self, shop: str) -> Mapping[str, JSON] | None:
        """Give the access token of `shop`, None if there is none. Raises: ConfigError if the key does not open it."""
        with self._database.reading() as db:
            return self._vault.read(db, shop)

    def token_saved_at(self, shop: str) -> str | None:
        """Give when the access token of `shop` was kept, None if there is none."""
        with self._database.reading() as db:
            return records.read_token_at(db, shop)

    def save_token(self, shop: str, token: Mapping[str, JSON], now: str) -> None:
        """Keep the access token of `shop`, encrypted."""
        with self._database.writing() as db:
            self._vault.write(db, shop, token, now)
            write_event(db, self.run_id, now, "token.saved", subject=shop)

    def identity_key(self) -> bytes:
        """Give the key that hashes of recipients and meanings are made with; the same as long as `ledger.key` is."""
        return self._vault.identity_key()

    def take_number(self, range_id: str, first: str, last: str, for_key: str, now: str) -> str:
        """Give the effect `for_key` its number of a local range, the same each time; it is used once that is done.

        Raises: ConfigError if `first` to `last` is no range; Refused if every number is given out.
        """
        with self._database.writing() as db:
            return records.take_number(db, range_id, first, last, for_key, now)

    def numbers(self, range_id: str | None = None) -> pl.DataFrame:
        """Give the numbers given out: range_id, number, for_key, state (reserved, used, void), at."""
        with self._database.reading() as db:
            return records.read_numbers(db, range_id)

    # journal

    def note(
        self,
        event: str,
        now: str,
        *,
        kind: str | None = None,
        subject: str | None = None,
        order_id: str | None = None,
        **data: JSON,
    ) -> None:
        """Append an event to the journal. Raises: ValueError if it would hold what identifies a person."""
        with self._database.writing() as db:
            write_event(db, self.run_id, now, event, kind=kind, subject=subject, order_id=order_id, data=data)

    def journal(self, since: str | None = None, *, order_id: str | None = None) -> pl.DataFrame:
        """Give the events from the instant `since` on, in the order they were written."""
        with self._database.reading() as db:
            return read_journal(db, since, order_id)

    def verify(self) -> list[Text]:
        """Check file, bindings and journal against each other; one sentence per finding, none for a sound ledger."""
        with self._database.reading() as db:
            return checks.verify(db)

    def _act(self, now: str) -> None:
        """Take or renew the lease before owning anything."""
        if self._lease.is_due(now):
            with self._database.writing() as db:
                self._lease.take(db, now)


def _address(what: Named) -> tuple[str, int | None]:
    """Give the key, and the fencing number if it is known."""
    if isinstance(what, Ruling):
        return what.effect.key, None if what.entry is None else what.entry.fence
    return (what if isinstance(what, str) else what.key), None
