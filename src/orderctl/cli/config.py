"""`orderctl.yaml`: who and where. A secret is never in it: `${ENV}`, `file:PATH` or `keyring:SERVICE/NAME`.

Relative paths are relative to the file. Every finding names file, line and column.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from orderctl.model.errors import ConfigError, InputMissing
from orderctl.model.text import Text
from orderctl.model.yamlfile import load_validated

FILE = "orderctl.yaml"
_ENV = re.compile(r"\$\{(\w+)\}")
_SECRET = re.compile(r"secret|token|session|password|key$", re.IGNORECASE)


class Section(BaseModel):
    """Base of all sections: an unknown key is an error."""

    model_config = ConfigDict(defer_build=True, extra="forbid")


Settings = Annotated[
    dict[str, str], Field(description="credentials and options of this kind; see docs/platforms.md")
]


class ShopConfig(Section):
    """One shop at one platform."""

    platform: str = Field(description="taobao, shopify, ...; pdd and douyin are read from export files")
    base_url: str | None = Field(None, description="address of the API; the platform's own by default")
    name: str | None = Field(None, description="how documents call the shop")
    group: str | None = Field(None, description="shops of one group may share parcels")
    language: Literal["zh", "en"] | None = Field(
        None, description="language of the documents for its buyers; that of print by default"
    )
    files: list[str] = Field(
        [], description="export files of the back office (patterns); a shop with an API needs none"
    )
    settings: Settings = {}


class IssuerConfig(Section):
    """Somebody who gives waybill numbers."""

    kind: str = Field(description="kuaidi100 or number_range")
    base_url: str | None = Field(None, description="address of the API; the issuer's own by default")
    couriers: list[str] = Field([], description="couriers it gives numbers for; empty: every one")
    settings: Settings = {}


class SenderConfig(Section):
    """Who a parcel comes from."""

    name: str
    phone: str
    country: str = "CN"
    province: str
    city: str
    district: str | None = None
    street: str
    postcode: str | None = None


class WarehouseConfig(Section):
    """A place parcels leave from."""

    name: str | None = None
    sender: SenderConfig


class StockConfig(Section):
    """Where it stands how much of which SKU lies where: a table in a file, or in a SQLite database."""

    file: str | None = Field(None, description="a CSV, XLSX or Parquet file")
    database: str | None = Field(None, description="a SQLite file")
    table: str = Field("stock", description="table or view of the database")


class PrintConfig(Section):
    """What `orderctl print` prints when the command line does not say."""

    documents: dict[str, str] = Field(
        {}, description="document (label, packing-slip, picklist, card, receipt) to device name"
    )
    size: str = Field("76x130", description="paper of labels of our own: 76x130, 100x150, ...")
    language: Literal["zh", "en"] = Field("zh", description="language of the words on documents")
    mask: bool = Field(
        True, description="hide a part of name and phone on labels, where the courier knows them"
    )
    templates: dict[str, str] = Field(
        {}, description="document to a template file of your own (templates/ has ours)"
    )


class FreshConfig(Section):
    """How old the platform's word may be before acting, in seconds."""

    print_s: int = Field(600, ge=0)
    ship_s: int = Field(120, ge=0)


class Config(Section):
    """The whole of orderctl.yaml."""

    locale: Literal["zh", "en"] | None = Field(
        None, description="language of messages; the environment's by default"
    )
    time_zone: str = Field(
        "Asia/Shanghai", description="time zone of reports and of export files without one"
    )
    state: str | None = Field(None, description="state directory")
    rules: str = Field("rules.yaml", description="the rules file")
    shops: dict[str, ShopConfig] = {}
    issuers: dict[str, IssuerConfig] = {}
    warehouses: dict[str, WarehouseConfig] = {}
    stock: list[StockConfig] = Field(
        [], description="what lies in the warehouses; with it `route` deals stock out, and what lacks waits"
    )
    devices: dict[str, str] = Field(
        {}, description="name to device: file:PATH, cups:QUEUE, escpos://HOST:9100, ..."
    )
    print: PrintConfig = PrintConfig()
    fresh: FreshConfig = FreshConfig()


def find(asked: str | None) -> Path | None:
    """Find the configuration: asked for, ORDERCTL_CONFIG, ./orderctl.yaml, the user's own; None if there is none."""
    named = asked or os.environ.get("ORDERCTL_CONFIG")
    if named:
        return Path(named)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return next((p for p in (Path(FILE), home / "orderctl" / FILE) if p.is_file()), None)


def load_config(path: Path | None) -> Config:
    """Read the configuration. Raises: InputMissing, ConfigError with every finding."""
    if path is None:
        return Config()
    return load_validated(read_text(path), str(path), Config)


def read_text(path: Path) -> str:
    """Read a text file of ours. Raises: InputMissing if it cannot be read; ConfigError if it is not UTF-8."""
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise InputMissing(Text("{path}: {why}", path=path, why=error.strerror)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(Text("{path}: is not UTF-8 text", path=path)) from error


def is_secret(name: str) -> bool:
    """Say whether a setting of this name must never be shown."""
    return bool(_SECRET.search(name))


def resolve(value: str, *, base: Path, where: str) -> str:
    """Give a setting's value: `${ENV}` from the environment, `file:PATH` the file's text, `keyring:SERVICE/NAME`.

    Raises: ConfigError if the variable, file or entry is missing; the value itself is never part of a message.
    """
    if value.startswith("file:"):
        try:
            return (base / value.removeprefix("file:")).expanduser().read_text("utf-8").strip()
        except OSError as error:
            raise ConfigError(
                Text("{where}: cannot read the file it names: {why}", where=where, why=error.strerror)
            ) from error
    if value.startswith("keyring:"):
        return _from_keyring(value.removeprefix("keyring:"), where)

    def from_env(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in os.environ:
            raise ConfigError(
                Text("{where}: the environment variable {name} is not set", where=where, name=name)
            )
        return os.environ[name]

    return _ENV.sub(from_env, value)


def _from_keyring(entry: str, where: str) -> str:
    service, _, name = entry.partition("/")
    try:
        import keyring
    except ImportError as error:
        raise ConfigError(
            Text("{where}: the keyring needs an extra package", where=where),
            hint=Text("pip install orderctl[keyring]"),
        ) from error
    found = keyring.get_password(service, name)
    if found is None:
        raise ConfigError(Text("{where}: the keyring has no entry {entry}", where=where, entry=entry))
    return found
