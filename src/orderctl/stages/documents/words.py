"""The words printed on documents, by language. The names of couriers are theirs; unknown codes print as they are."""

from __future__ import annotations

from typing import Literal

Language = Literal["zh", "en"]

WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "to": "收", "from": "寄", "centre": "集包地", "order": "订单", "orders": "共 {n} 单", "parcel": "第{k}/{n}包", "collect": "代收货款",
        "insured": "保价", "weight": "重量", "pieces": "共 {n} 件", "kinds": "{n} 种", "signature": "签收人", "date": "日期",
        "buyer": "买家留言", "seller": "卖家备注", "copy": "副本", "more": "见配货单", "rest": "……另有 {n} 种，见配货单", "gift": "赠", "slip": "配货单",
        "picklist": "拣货单", "shipment": "发货单", "waybill": "运单号", "courier": "快递", "wave": "波次", "warehouse": "仓库",
        "location": "货位", "sku": "商品编码", "goods": "商品", "spec": "规格", "quantity": "数量", "checked": "核对",
        "positions": "分配（发货序号×数量）", "slots": "播种墙格位×数量", "slot": "格", "sequence": "序号", "page": "第 {i} / {n} 页", "recipient": "收件人",
        "sender": "发件人", "total": "合计", "shipments": "{n} 单", "contents": "内件", "picker": "拣货人", "phone": "电话",
        "address": "地址", "notes": "备注", "gap": "：",
    },
    "en": {
        "to": "TO", "from": "FROM", "centre": "Package centre", "order": "Order", "orders": "{n} orders", "parcel": "Parcel {k}/{n}",
        "collect": "Collect on delivery", "insured": "Insured", "weight": "Weight", "pieces": "{n} pcs", "kinds": "{n} SKUs",
        "signature": "Signature", "date": "Date", "buyer": "Buyer's note", "seller": "Seller's note", "copy": "COPY",
        "more": "see packing slip", "rest": "… {n} more: see packing slip", "gift": "GIFT", "slip": "Packing slip", "picklist": "Pick list",
        "shipment": "Shipment", "waybill": "Waybill", "courier": "Courier", "wave": "Wave", "warehouse": "Warehouse",
        "location": "Location", "sku": "SKU", "goods": "Goods", "spec": "Variant", "quantity": "Qty", "checked": "Check",
        "positions": "For (number × qty)", "slots": "Wall slot × qty", "slot": "Slot", "sequence": "No.", "page": "Page {i} of {n}", "recipient": "Ship to",
        "sender": "From", "total": "Total", "shipments": "{n} shipments", "contents": "Contents", "picker": "Picked by",
        "phone": "Phone", "address": "Address", "notes": "Notes", "gap": ": ",
    },
}  # fmt: skip

COURIERS: dict[Language, dict[str, str]] = {
    "zh": {
        "sf": "顺丰速运", "zto": "中通快递", "yto": "圆通速递", "sto": "申通快递", "yunda": "韵达快递", "jt": "极兔速递",
        "jd": "京东快递", "ems": "EMS", "deppon": "德邦快递", "cainiao": "菜鸟速递", "youzhengguonei": "中国邮政",
    },
    "en": {
        "sf": "SF Express", "zto": "ZTO Express", "yto": "YTO Express", "sto": "STO Express", "yunda": "Yunda Express",
        "jt": "J&T Express", "jd": "JD Logistics", "ems": "EMS", "deppon": "Deppon Express", "cainiao": "Cainiao",
        "youzhengguonei": "China Post",
    },
}  # fmt: skip


def courier_name(code: str, language: Language) -> str:
    """Give the courier's name for people; a code not in the table as it is."""
    return COURIERS[language].get(code.lower(), code)
