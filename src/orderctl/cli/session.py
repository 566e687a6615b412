"""One run of a command: what its common options, environment and files come to.

Everything is opened on first use, so a command pays for what it needs. "Now" is read here, once, and nowhere below.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from orderctl.cli.console import Console, locale_of
from orderctl.cli.exits import Tally
from orderctl.model.errors import UsageError
from orderctl.model.text import Text

if TYPE_CHECKING:
    from polars import DataFrame

    from orderctl.cli.config import Config
    from orderctl.cli.facts import Also
    from orderctl.model.facts import Facts
    from orderctl.ports.batches import Rejects
    from orderctl.ports.http import Http
    from orderctl.ports.ledger import Ledger
    from orderctl.stages.rules.book import RuleBook


@dataclass
class Session:
    """The common options of a run as given, and what follows from them."""

    command: str
    config_path: str | None = None
    state_path: str | None = None
    rules_path: str | None = None
    facts_path: str | None = None
    asked_now: str | None = None
    lang: str | None = None
    verbose: int = 0
    log_json: bool = False
    tally: Tally = field(default_factory=Tally)
    list_to_come: str | None = None
    """A table that rules may name although it is not there yet: this run makes it."""

    @cached_property
    def now(self) -> str:
        """The instant of this run: `--now`, ORDERCTL_NOW, else the clock."""
        from orderctl.model.instant import parse_instant, write_instant

        asked = self.asked_now or os.environ.get("ORDERCTL_NOW")
        if asked is None:
            from datetime import UTC, datetime

            return write_instant(datetime.now(UTC))
        try:
            return write_instant(parse_instant(asked))
        except ValueError as error:
            raise UsageError(
                Text("--now {value}: give an instant such as 2026-11-24T05:30:28Z", value=asked)
            ) from error

    def clock(self) -> str:
        """Give the instant at which something is recorded: the clock's, or the run's own where that was given."""
        from datetime import UTC, datetime

        from orderctl.model.instant import write_instant

        fixed = self.asked_now or os.environ.get("ORDERCTL_NOW")
        return self.now if fixed else write_instant(datetime.now(UTC))

    @cached_property
    def console(self) -> Console:
        """Where this run speaks."""
        locale = locale_of(self.lang or os.environ.get("ORDERCTL_LANG") or self.config.locale)
        return Console(f"orderctl {self.command}", locale, self.verbose, self.log_json, self.now)

    @cached_property
    def config_file(self) -> Path | None:
        """The configuration file in use."""
        from orderctl.cli.config import find

        return find(self.config_path)

    @cached_property
    def base(self) -> Path:
        """The directory that relative paths of the configuration start from."""
        return self.config_file.parent if self.config_file else Path()

    @cached_property
    def config(self) -> Config:
        """The configuration. Raises: ConfigError, InputMissing."""
        from orderctl.cli.config import load_config

        return load_config(self.config_file)

    @cached_property
    def state(self) -> Path:
        """The state directory, made if it is missing; only its owner may look into it."""
        home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        named = self.state_path or os.environ.get("ORDERCTL_STATE")
        configured = (
            self.base / Path(self.config.state).expanduser() if self.config.state else home / "orderctl"
        )
        path = Path(named) if named else configured
        from orderctl.model.errors import CannotCreate

        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise CannotCreate(
                Text("cannot create the state directory {path}: {why}", path=path, why=error.strerror)
            ) from error
        return path

    @cached_property
    def book(self) -> RuleBook:
        """The rules. Without a rules file they are empty, which is said. Raises: ConfigError, InputMissing."""
        from orderctl.cli.config import read_text
        from orderctl.ports.tables.numbered import no_rows, read_numbered
        from orderctl.stages.rules.parse import parse

        named = self.rules_path or os.environ.get("ORDERCTL_RULES")
        path = Path(named) if named else self.base / self.config.rules
        if not named and not path.exists():
            self.console.say(
                "warning", "rules.none", Text("no rules file {path}: nothing is mapped or routed", path=path)
            )
            return parse("{}", "rules.yaml")
        coming = Path(self.list_to_come).resolve() if self.list_to_come else None

        def table(name: str) -> DataFrame:
            named = path.parent / name
            if named.resolve() == coming and not named.exists():
                return no_rows()
            return read_numbered(str(named))

        return parse(read_text(path), str(path), table, lambda name: read_text(path.parent / name))

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Open the ledger of the state directory for this run."""
        from orderctl.ports.ledger import Ledger

        run = f"{self.now.replace(':', '').replace('-', '')}-{self.command.split()[0]}-{uuid.uuid4().hex[:8]}"
        key = os.environ.get("ORDERCTL_KEY")
        with Ledger.open(self.state / "ledger.db", run_id=run, host=socket.gethostname(), key=key) as ledger:
            yield ledger

    @cached_property
    def http(self) -> Http:
        """The connections and rate limits of this run, shared by all shops and issuers."""
        from orderctl.ports.http import Http

        return Http(self.clock(), rates=self.state / "rates.json")

    def close(self) -> None:
        """Say what is left to say, and give connections back."""
        if "console" in self.__dict__:
            self.console.rest()
        if "http" in self.__dict__:
            self.http.close()

    def facts(self, *also: Also) -> Facts:
        """Give what the stages may know: frozen by `--facts FILE`, else from ledger and configuration.

        `also` names what not every command needs, each as far as the rules ask for it: for the audit what `fetch` noticed
        over time, the history of buyers, what lies where, what couriers took today.
        """
        if self.facts_path is None:
            from orderctl.cli.facts import gathered

            with self.ledger() as ledger:
                found = gathered(self.config, self.base, ledger, lambda: self.book, self.now, also)
                ledger.note("facts.loaded", self.now, command=self.command, hash=found.hash)
                return found
        from orderctl.cli.config import read_text
        from orderctl.model.facts import parse_facts

        return parse_facts(read_text(Path(self.facts_path)), self.facts_path)

    def facts_of(self, ledger: Ledger) -> Facts:
        """Give what the stages may know, from a ledger that is open already."""
        from orderctl.cli.facts import facts_of

        return facts_of(self.config, ledger)

    def rejects(self, asked: str | None) -> Rejects:
        """Open the rejects of this run: the file asked for, else one beside the state."""
        from orderctl.ports.batches import Rejects

        if asked:
            return Rejects(Path(asked))
        stamp = self.now.replace(":", "").replace("-", "")
        return Rejects(self.state / "rejects" / f"{stamp}-{self.command.split()[0]}-{os.getpid()}.jsonl")

    def finish_rejects(self, rejects: Rejects) -> None:
        """Tell of rejects, if there were any, and count them for the exit code."""
        if not rejects.count:
            return
        self.tally.rejected += rejects.count
        text = Text(
            "{count} records rejected, see {path}; the first: {first}",
            count=rejects.count,
            path=rejects.path,
            first=rejects.first,
        )
        self.console.say("warning", "record.rejected", text, count=rejects.count, path=str(rejects.path))
