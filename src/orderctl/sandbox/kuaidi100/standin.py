"""The stand-in of the courier aggregator Kuaidi100: numbers and labels for every courier.

The one invariant: with `reorder=false` one order reference gets one number within 48 hours; without it every call
costs a new one, and the books tell.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from orderctl.sandbox.answer import Answer, Request, as_json
from orderctl.sandbox.kuaidi100 import labels
from orderctl.sandbox.people import Person
from orderctl.sandbox.store import Store
from orderctl.sandbox.texts import digest

KEY = "sandbox-key"
SECRET = "sandbox-secret"
PARTNER_ID = "sandbox-partner"
REPEAT_SECONDS = 48 * 3600

OK, INCOMPLETE, SERVER_ERROR, BUSY, WRONG_SIGN, NO_BALANCE = 200, 400, 501, 502, 503, 601
PRINT_TYPES = ("NON", "HTML", "IMAGE", "CMD", "CLOUD")
PAY_TYPES = ("SHIPPER", "CONSIGNEE", "MONTHLY", "THIRDPARTY")


@dataclass(frozen=True)
class Courier:
    """How a courier numbers its parcels: prefix, digits after it, suffix."""

    name: str
    prefix: str
    digits: int
    suffix: str = ""

    def number(self, serial: int) -> str:
        """Give the nth number."""
        return f"{self.prefix}{serial % 10**self.digits:0{self.digits}d}{self.suffix}"


COURIERS = {
    "shunfeng": Courier("顺丰速运", "SF", 13), "zhongtong": Courier("中通快递", "7310", 10),
    "yuantong": Courier("圆通速递", "YT", 13), "shentong": Courier("申通快递", "77", 13),
    "yunda": Courier("韵达快递", "43", 13), "jtexpress": Courier("极兔速递", "JT", 13), "ems": Courier("EMS", "11", 11),
    "youzhengguonei": Courier("邮政快递包裹", "98", 11), "debangkuaidi": Courier("德邦快递", "DPK", 13),
    "jd": Courier("京东快递", "JDV", 12),
}  # fmt: skip
OURS = ("YTO", "ZTO", "STO", "YUNDA", "SF", "JT", "EMS")
"""What a configuration calls the couriers it lets this aggregator issue for."""


class Refusal(Exception):
    """A refusal in the aggregator's envelope."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def signature(param: str, t: str, key: str, secret: str) -> str:
    """Sign a label call: MD5, upper case."""
    return hashlib.md5((param + t + key + secret).encode()).hexdigest().upper()


def party(given: Any, who: str) -> dict[str, str]:
    """Read a plain sender or recipient. Raises: Refusal if something is missing or masked."""
    if not isinstance(given, dict):
        raise Refusal(INCOMPLETE, f"{who}不能为空")
    text = {key: str(value).strip() for key, value in given.items() if value is not None}
    if not text.get("name"):
        raise Refusal(INCOMPLETE, f"{who}.name不能为空")
    if not (text.get("mobile") or text.get("tel")):
        raise Refusal(INCOMPLETE, f"{who}.mobile和tel不能同时为空")
    if not text.get("printAddr"):
        if not all(text.get(key) for key in ("province", "city", "addr")):
            raise Refusal(INCOMPLETE, f"{who}.printAddr不能为空")
        text["printAddr"] = "".join(text.get(key, "") for key in ("province", "city", "district", "addr"))
    if any("*" in text.get(key, "") for key in ("name", "mobile", "tel", "printAddr")):
        raise Refusal(INCOMPLETE, f"{who}含有脱敏信息，请传oaid/caid")
    return text


def sheet_of(param: Mapping[str, Any]) -> list[int]:
    """Read width and height of the label in millimetres. Raises: Refusal for a sheet nobody sells."""
    width, height = str(param.get("width") or 76), str(param.get("height") or 130)
    if f"{width}x{height}" not in labels.SHEETS:
        raise Refusal(INCOMPLETE, f"面单尺寸错误，支持{'、'.join(labels.SHEETS)}")
    return [int(width), int(height)]


class Kuaidi100:
    """The aggregator, and the server of its label pictures."""

    name: ClassVar[str] = "kuaidi100"
    lists: ClassVar[frozenset[str]] = frozenset()
    pages: ClassVar[frozenset[str]] = frozenset()
    words: ClassVar[frozenset[str]] = frozenset({"quota"})

    def __init__(
        self, store: Store, now: Callable[[], float],
        *, folder: Path, fonts: Path | None, unseal: Callable[[str, str], Person | None],
    ) -> None:  # fmt: skip
        self._store, self._now, self._folder, self._fonts = store, now, folder / "labels", fonts
        self._unseal = unseal

    def issuer(self, url: str) -> dict[str, Any]:
        """Give its entry under `issuers:`."""
        return {
            "kind": "kuaidi100", "base_url": f"{url}/kuaidi100", "couriers": list(OURS),
            "settings": {"key": KEY, "secret": SECRET, "partner_id": PARTNER_ID},
        }  # fmt: skip

    def serves(self, path: str) -> bool:
        """The one endpoint, and the label pictures."""
        return path == "/kuaidi100/label/order" or (
            path.startswith("/kuaidi100/label/") and path.endswith(".png")
        )

    def control(self, word: str, value: Any, now: float) -> None:
        """`quota`: how many numbers the balance still pays for; None lifts the limit."""
        self._store.limit("kuaidi100.balance", value)

    def operation(self, request: Request) -> tuple[str, str]:
        """Name the method; calls that differ only in clock and signature have the same subject."""
        if request.path.endswith(".png"):
            return "kuaidi100:label", request.path
        form = request.form()
        return f"kuaidi100:{form.get('method', 'unnamed')}", hashlib.sha256(
            form.get("param", "").encode()
        ).hexdigest()

    def refusal(self, kind: str, _request: Request) -> Answer:
        """Say that the call may come again."""
        code, message = (
            (SERVER_ERROR, "服务器错误") if kind == "temporary" else (BUSY, "服务器繁忙，请稍后重试")
        )
        return as_json({"success": False, "code": code, "message": message, "data": None})

    def answer(self, request: Request) -> Answer:
        """Serve a method or a label picture."""
        if request.path.endswith(".png"):
            return self._label(request.path.rsplit("/", 1)[-1].removesuffix(".png"))
        if request.verb != "POST":
            return as_json({"success": False, "code": INCOMPLETE, "message": "POST only", "data": None}, 405)
        try:
            data = self._call(request.form(), request.base_url)
        except Refusal as refusal:
            return as_json({"success": False, "code": refusal.code, "message": refusal.message, "data": None})
        return as_json({"success": True, "code": OK, "message": "请求成功", "data": data, "time": 0})

    def _call(self, form: Mapping[str, str], base_url: str) -> dict[str, Any] | None:
        for name in ("method", "key", "t", "param", "sign"):
            if not form.get(name):
                raise Refusal(INCOMPLETE, f"{name}不能为空")
        if form["key"] != KEY:
            raise Refusal(NO_BALANCE, "key不存在或已过期")
        if not (form["t"].isascii() and form["t"].isdigit() and len(form["t"]) == 13):
            raise Refusal(INCOMPLETE, "t应为毫秒时间戳")
        if not hmac.compare_digest(signature(form["param"], form["t"], KEY, SECRET), form["sign"]):
            raise Refusal(WRONG_SIGN, "验证签名失败")
        try:
            param = json.loads(form["param"])
        except ValueError:
            raise Refusal(INCOMPLETE, "param不是合法的JSON") from None
        if not isinstance(param, dict):
            raise Refusal(INCOMPLETE, "param不是JSON对象")
        if form["method"] == "order":
            return self._order(param, base_url)
        if form["method"] == "cancel":
            self._cancel(param)
            return None
        raise Refusal(INCOMPLETE, f"不支持的method: {form['method'][:40]}")

    def _order(self, param: dict[str, Any], base_url: str) -> dict[str, Any]:
        with self._store.transaction(keep=Refusal):
            try:
                courier, sender, receiver, sort_code = self._check(param)
                first = self._first_result(param)
                if first is not None and str(param.get("reorder", "true")).lower() == "false":
                    self._book(
                        "repeated",
                        str(param.get("orderId")),
                        first["kuaidinum"],
                        {"taskId": first["taskId"]},
                        param,
                    )
                    return self._data(first, base_url)
                if not self._store.spend("kuaidi100.balance"):
                    raise Refusal(NO_BALANCE, "电子面单余额不足，请充值")
            except Refusal as refusal:
                self._book(
                    "refused",
                    str(param.get("orderId", "")),
                    None,
                    {"code": refusal.code, "message": refusal.message},
                    param,
                )
                raise
            return self._data(self._issue(param, courier, sender, receiver, sort_code, first), base_url)

    def _check(self, param: dict[str, Any]) -> tuple[Courier, dict[str, str], dict[str, str], str]:
        courier = COURIERS.get(str(param.get("kuaidicom", "")))
        if courier is None:
            raise Refusal(INCOMPLETE, "快递公司编码错误")
        if param.get("partnerId") != PARTNER_ID:
            raise Refusal(INCOMPLETE, "电子面单账号错误，请检查partnerId")
        sender = party(param.get("sendMan"), "sendMan")
        if not param.get("cargo"):
            raise Refusal(INCOMPLETE, "cargo不能为空")
        if param.get("printType", "NON") not in PRINT_TYPES:
            raise Refusal(INCOMPLETE, "printType错误")
        if param.get("printType") == "CLOUD" and not param.get("siid"):
            raise Refusal(INCOMPLETE, "siid不能为空")
        sheet_of(param)
        if not re.fullmatch(r"[1-9][0-9]?", str(param.get("count") or 1)):
            raise Refusal(INCOMPLETE, "count应为1至99")
        if param.get("payType", "SHIPPER") not in PAY_TYPES:
            raise Refusal(INCOMPLETE, "payType错误")
        if param.get("oaid") or param.get("caid"):
            person = self._sealed(param)
            address = f"{place_text(person)}{person.street}"
            receiver = {"name": person.name, "mobile": person.mobile, "printAddr": address}
            return courier, sender, receiver, person.place.code
        receiver = party(param.get("recMan"), "recMan")
        return courier, sender, receiver, "000-" + digest(receiver["printAddr"][:6])[:3].upper()

    def _sealed(self, param: dict[str, Any]) -> Person:
        """Ask the platform who is behind a seal. Raises: Refusal if it does not belong to the order."""
        tid, seal = str(param.get("thirdOrderId", "")), param.get("oaid") or param.get("caid")
        if not tid:
            raise Refusal(INCOMPLETE, "thirdOrderId不能为空")
        person = self._unseal(tid, str(seal))
        if person is None:
            raise Refusal(INCOMPLETE, "收件人信息解密失败，oaid与订单不匹配")
        return person

    def _first_result(self, param: dict[str, Any]) -> dict[str, Any] | None:
        """Give what the same reference got within the last 48 hours, unless it was cancelled."""
        if not param.get("orderId"):
            return None
        found = self._store.rows(
            "SELECT body FROM waybills WHERE order_id = ? AND issued > ? AND NOT cancelled ORDER BY issued LIMIT 1",
            (str(param["orderId"]), self._now() - REPEAT_SECONDS),
        )
        return json.loads(found[0][0]) if found else None

    def _issue(
        self, param: dict[str, Any], courier: Courier, sender: dict[str, str], receiver: dict[str, str],
        sort_code: str, first: dict[str, Any] | None,
    ) -> dict[str, Any]:  # fmt: skip
        seed = self._store.get("world", {}).get("seed", 0)
        reference = str(param.get("orderId") or "")
        serial = self._serial(seed, reference)
        number = courier.number(serial)
        more = int(param.get("count") or 1) - 1 if str(param.get("needChild")) in ("1", "True") else 0
        children = [courier.number(self._serial(seed, reference)) for _ in range(more)]
        body = {
            "taskId": digest("task", seed, serial)[:32].replace("-", "A").replace("_", "B").upper(), "kuaidinum": number,
            "childNum": ",".join(children), "returnNum": "",
            "bulkpen": f"{sort_code} {serial % 900 + 100:03d}", "pkgName": "样例集散中心", "pkgCode": f"P{serial % 90 + 10}",
            "destSortingCode": sort_code, "kdComOrderNum": f"K{serial:010d}", "expressName": str(param.get("expType", "")),
            "_courier": courier.name, "_sender": sender, "_receiver": receiver, "_print": param.get("printType", "NON"),
            "_sheet": sheet_of(param), "_cargo": str(param["cargo"]), "_remark": str(param.get("remark") or ""),
        }  # fmt: skip
        self._store.write(
            "INSERT INTO waybills VALUES (?, ?, ?, ?, ?, 0, ?)",
            (
                body["taskId"],
                reference,
                str(param["kuaidicom"]),
                number,
                self._now(),
                json.dumps(body, ensure_ascii=False),
            ),
        )
        detail = {
            "courier": param["kuaidicom"],
            "taskId": body["taskId"],
            "thirdOrderId": param.get("thirdOrderId"),
            "sealed": bool(param.get("oaid") or param.get("caid")),
            "second": first is not None,
            "before": first["kuaidinum"] if first else None,
        }
        self._book("waybill", reference, number, detail, param)
        return body

    def _serial(self, seed: int, reference: str) -> int:
        """Give the next serial of a reference: no other order moves it, so orders sent side by side get the same again."""
        nth = self._store.count(f"waybills.{reference}")
        return int.from_bytes(hashlib.sha256(f"{seed}|{reference}|{nth}".encode()).digest()[:8]) % 10**9

    def _cancel(self, param: dict[str, Any]) -> None:
        with self._store.transaction(keep=Refusal):
            number = str(param.get("kuaidinum", ""))
            try:
                if param.get("partnerId") != PARTNER_ID:
                    raise Refusal(INCOMPLETE, "电子面单账号错误，请检查partnerId")
                found = self._store.rows(
                    "SELECT order_id, cancelled FROM waybills WHERE number = ? AND company = ?",
                    (number, str(param.get("kuaidicom", ""))),
                )
                if not found:
                    raise Refusal(INCOMPLETE, "运单号不存在")
                if found[0][1]:
                    raise Refusal(INCOMPLETE, "运单号已取消")
            except Refusal as refusal:
                self._book(
                    "refused", str(param.get("orderId", "")), number, {"message": refusal.message}, param
                )
                raise
            self._store.write("UPDATE waybills SET cancelled = 1 WHERE number = ?", (number,))
            self._book("cancel", found[0][0], number, {"courier": param.get("kuaidicom")}, param)

    def _book(
        self, kind: str, subject: str, number: str | None, detail: dict[str, Any], param: dict[str, Any]
    ) -> None:
        self._store.book(self._now(), "kuaidi100", PARTNER_ID, kind, subject, number, detail, param)

    def _data(self, body: dict[str, Any], base_url: str) -> dict[str, Any]:
        data = {key: value for key, value in body.items() if not key.startswith("_")}
        if body["_print"] == "IMAGE":
            data["label"] = f"{base_url}/kuaidi100/label/{body['taskId']}.png"
        return data

    def _label(self, task: str) -> Answer:
        found = self._store.rows("SELECT body FROM waybills WHERE task = ?", (task,))
        if not found:
            return as_json({"success": False, "code": INCOMPLETE, "message": "面单不存在"}, 404)
        picture = labels.stored(self._folder / f"{task}.png", json.loads(found[0][0]), self._fonts)
        return Answer(200, picture, "image/png")


def place_text(person: Person) -> str:
    """Write the place of a recipient as one text, without saying a municipality twice."""
    place = person.place
    province = "" if place.city.startswith(place.province) and place.city else place.province
    return f"{province}{place.city}{place.district}{place.town}"
