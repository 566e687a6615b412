"""Waybill numbers from the issuers of the configuration.

A sealed recipient needs an issuer that labels for the platform; its label is printed as supplied. A plain one gets
our own label around the number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderctl.cli.session import Session
from orderctl.cli.shops import settings_of
from orderctl.model.effect import Effect
from orderctl.model.errors import OutcomeUnknown, PortError, Refused
from orderctl.model.text import Text
from orderctl.ports.content import ContentStore
from orderctl.ports.couriers import load
from orderctl.ports.couriers.port import Account, Issuer, Party, Seal, SuppliedLabel, Waybill, WaybillRequest
from orderctl.ports.ledger import Ledger
from orderctl.ports.ledger.perform import Answer, Result
from orderctl.stages.plans.rows import Row, carried, note


class Issuing:
    """The issuers of one run, opened when first needed."""

    def __init__(self, session: Session, ledger: Ledger, content: ContentStore) -> None:
        self._session = session
        self._ledger = ledger
        self._content = content
        self._open: dict[str, Issuer] = {}

    def serves(self, row: Row) -> bool:
        """Say whether there is an issuer for a row, choosing it when the rules did not; leave a problem if not."""
        name = row["issuer"] or self._first_for(row["courier"])
        if name is None or name not in self._session.config.issuers:
            note(row, "print", "no_issuer", courier=row["courier"])
            self._session.tally.blocked += 1
            return False
        row["issuer"] = name
        return True

    def _first_for(self, courier: str | None) -> str | None:
        issuers = self._session.config.issuers
        return next(
            (n for n, i in issuers.items() if courier and (not i.couriers or courier in i.couriers)), None
        )

    def open(self, name: str) -> Issuer:
        """Open an issuer. Raises: ConfigError."""
        if name not in self._open:
            configured = self._session.config.issuers[name]
            settings = settings_of(self._session, f"issuers.{name}", configured.settings)
            account = Account(name, configured.base_url, settings)
            self._open[name] = load(configured.kind)(account, http=self._session.http, take_number=self._take)
        return self._open[name]

    def _take(self, range_id: str, first: str, last: str, for_key: str) -> str:
        return self._ledger.take_number(range_id, first, last, for_key, self._session.clock())

    def buy(self, effect: Effect, row: Row) -> Result:
        """Buy the number of one shipment. Raises: PortError."""
        issuer = self.open(row["issuer"])
        request = self.request(effect, row, issuer)
        return self._result(issuer, request, issuer.buy(request))

    def lookup(self, effect: Effect, row: Row) -> Answer:
        """Ask for the number an interrupted purchase ended with. Raises: PortError."""
        issuer = self.open(row["issuer"])
        request = self.request(effect, row, issuer)
        entry = self._ledger.entry(effect.key)
        now = self._session.clock()
        found = issuer.lookup(request, started_at=entry.started_at if entry else now, now=now)
        return "absent" if found is None else self._result(issuer, request, found)

    def request(self, effect: Effect, row: Row, issuer: Issuer) -> WaybillRequest:
        """Say what an issuer is asked. Raises: Refused if it cannot serve a sealed recipient, or there is no sender."""
        warehouse = self._session.config.warehouses.get(row["warehouse"] or "")
        if warehouse is None:
            raise Refused(
                Text("warehouse {name} is not in the configuration", name=row["warehouse"] or "-"),
                code="no_sender",
            )
        sender, to, order = warehouse.sender, row["recipient"], row["orders"][0]
        sealed = to["sealed"]
        if sealed and (sealed["scheme"] not in issuer.capabilities.seals or not sealed["ref"]):
            raise Refused(
                Text(
                    "{issuer} cannot have recipients opened that are sealed as {scheme}",
                    issuer=row["issuer"],
                    scheme=sealed["scheme"],
                ),
                hint=Text(
                    "print these orders in the platform's back office, or name another issuer for them"
                ),
                code="sealed",
            )
        return WaybillRequest(
            reference=f"{row['shipment_id']}-{effect.revision}",
            courier=row["courier"],
            service=row["service"],
            sender=Party(
                sender.name, sender.phone, sender.province, sender.city, sender.district or "", sender.street
            ),
            recipient=_party(to),
            goods=_goods(row),
            seal=Seal(sealed["ref"], order["platform_ref"]) if sealed else None,
            parcels=len(row["parcels"]),
            weight_g=row["weight_g"],
            collect_minor=row["collect_minor"],
            insured_minor=row["insured_minor"],
        )

    def _result(self, issuer: Issuer, request: WaybillRequest, waybill: Waybill) -> dict[str, Any]:
        label = self._label(issuer, request, waybill) if request.seal else None
        numbers = [waybill.number, *waybill.children]
        shared = {"sort_code": waybill.sort_code, "package_centre": waybill.package_centre, "qr": waybill.qr}
        ours = {
            "kind": "ours",
            "media_type": None,
            "width_mm": None,
            "height_mm": None,
            "ref": None,
            "sha256": None,
        }
        printed = self._supplied(label) if label else ours
        parcels = [{"number": number, **shared, "label": printed} for number in numbers]
        return {"parcels": parcels, "courier_ref": waybill.courier_ref, "at": self._session.clock()}

    def _label(self, issuer: Issuer, request: WaybillRequest, waybill: Waybill) -> SuppliedLabel:
        """Give the supplied label. The number is bought: without its label nothing is known, least of all a failure."""
        try:
            label = waybill.label or issuer.fetch_label(request, waybill)
        except PortError as error:
            raise OutcomeUnknown(error.text, code="no_label") from error
        if label is None:
            raise OutcomeUnknown(Text("the issuer gave no label for a sealed recipient"), code="no_label")
        return label

    def _supplied(self, label: SuppliedLabel) -> dict[str, Any]:
        ref = self._content.put(label.content)
        return {
            "kind": "supplied", "media_type": label.media_type, "width_mm": label.width_mm,
            "height_mm": label.height_mm, "ref": ref, "sha256": ref,
        }  # fmt: skip


def _party(to: Mapping[str, Any]) -> Party:
    phone = to["phone"] or ""
    lines = [to["town"], to["street"], *to["address_lines"]]
    return Party(
        name=to["name"] or "",
        phone=f"{phone}-{to['phone_ext']}" if to["phone_ext"] else phone,
        province=to["province"] or "",
        city=to["city"] or "",
        district=to["district"] or "",
        street="".join(part for part in lines if part),
        company=to["company"] or "",
    )


def _goods(row: Row) -> str:
    """Name the goods in a few words: titles of different lines, shortened."""
    titles = dict.fromkeys(line["title"] or line["sku"] or "" for line in carried(row))
    return ", ".join(t[:20] for t in titles if t)[:60] or "-"
