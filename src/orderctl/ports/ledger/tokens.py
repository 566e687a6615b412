"""Access tokens, encrypted with a key that is not in the ledger.

Invariant: who has only the ledger file has no token. The key is given, or lies in `ledger.key` (0600) beside it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

from orderctl.model.effect import JSON
from orderctl.model.errors import CannotCreate, ConfigError
from orderctl.model.text import Text

KEY_FILE: Final = "ledger.key"


class Vault:
    """Tokens by shop; the key is read, or made, when the first one is asked for."""

    def __init__(self, state: Path, key: str | None) -> None:
        self._file = state / KEY_FILE
        self._given = key
        self._cipher: Fernet | None = None

    def read(self, db: sqlite3.Connection, shop: str) -> Mapping[str, JSON] | None:
        """Give the token of `shop`, None if there is none. Raises: ConfigError if the key is not the one it was saved with."""
        row = db.execute("SELECT content FROM token WHERE shop = ?", (shop,)).fetchone()
        if row is None:
            return None
        try:
            found: Mapping[str, JSON] = json.loads(self._fernet().decrypt(row["content"]))
        except InvalidToken as error:
            raise ConfigError(
                Text("the token of shop {shop} cannot be read with this key", shop=shop),
                hint=Text("restore the key it was saved with, or authorise the shop again"),
            ) from error
        return found

    def write(self, db: sqlite3.Connection, shop: str, token: Mapping[str, JSON], now: str) -> None:
        """Keep the token of `shop` in place of the one before."""
        content = self._fernet().encrypt(json.dumps(token, ensure_ascii=False).encode())
        db.execute(
            "INSERT INTO token VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET content = excluded.content, at = excluded.at",
            (shop, content, now),
        )

    def identity_key(self) -> bytes:
        """Give the key of recipients' hashes, derived from that of the tokens: who loses one loses the other."""
        self._fernet()
        secret = self._given.encode() if self._given else self._key()
        return hmac.new(secret, b"orderctl identity", hashlib.sha256).digest()

    def _fernet(self) -> Fernet:
        if self._cipher is None:
            try:
                self._cipher = Fernet(self._given or self._key())
            except ValueError as error:
                where = "ORDERCTL_KEY" if self._given else str(self._file)
                raise ConfigError(
                    Text("the key in {where} is none: it is 32 bytes as URL-safe base64", where=where)
                ) from error
        return self._cipher

    def _key(self) -> bytes:
        try:
            if not self._file.exists():
                self._make_key()
            if self._file.stat().st_mode & 0o077:
                raise ConfigError(
                    Text("the key file {path} can be read by others", path=self._file),
                    hint=Text("chmod 600 {path}", path=self._file),
                )
            return self._file.read_bytes().strip()
        except OSError as error:
            raise CannotCreate(
                Text("the key file {path} cannot be used: {why}", path=self._file, why=error.strerror)
            ) from error

    def _make_key(self) -> None:
        """Write a new key beside and link it into place, whole; another run that was quicker wins."""
        beside = self._file.with_name(f"{KEY_FILE}.{os.getpid()}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, self._file)
        except FileExistsError:
            pass
        finally:
            beside.unlink()
