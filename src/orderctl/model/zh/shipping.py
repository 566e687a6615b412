"""The Chinese sentences of telling and correcting waybill numbers."""

SENTENCES: dict[str, str] = {
    # --- why a platform was not told
    "the platform refuses our credentials: {code}": "平台拒绝了我们的授权：{code}",
    "orderctl auth login SHOP, then run the same command again": "运行 orderctl auth login 店铺，再运行同一命令",
    "a refund is open at the platform": "平台上正在退款",
    "settle it at the platform, then fetch and run the pipe again": "在平台处理完毕后重新抓单并跑一遍流程",
    "the platform does not take this waybill number": "平台不接受这个运单号",
    "check number and courier, then print and ship again": "核对运单号和快递公司，再重新打印和发货",
    "the platform does not know this courier": "平台不认识这家快递",
    "name its code as courier.CODE in the settings of the shop": "在店铺的 settings 中用 courier.代码 写明平台的快递编码",
    "the platform knows no such order in this shop": "平台的这家店铺没有此订单",
    "check the shop in the configuration, then fetch": "核对配置中的店铺，再重新抓单",
    "its state at the platform forbids shipping": "订单在平台的状态不允许发货",
    "the platform ships a line only as a whole": "平台的一条明细只能整条发货",
    "ship all pieces of the line together": "把这条明细的全部件数一起发出",
    "the buyer changed the address": "买家改了地址",
    "stop the parcel, then fetch and run the pipe again": "拦下包裹，重新抓单并跑一遍流程",
    "the platform holds the order": "订单被平台挂起",
    "clear the hold at the platform, then ship again": "在平台解除后重新发货",
    "this platform has no way to correct a number": "该平台无法修改运单号",
    "correct it in the shop's back office": "在店铺后台修改",
    # --- the command
    "With --correct it tells them another number than before, on purpose, and reads no batch.": (
        "加 --correct 时，有意把先前告知的运单号改成另一个，不读取批次。"
    ),
    "Correct the number told of this order, or of all orders of this shipment.": (
        "更正此订单（或此发货单的全部订单）已告知平台的运单号。"
    ),
    "The right waybill number, with --correct.": "正确的运单号，与 --correct 同用。",
    "The right courier, with --correct; by default the one told.": "正确的快递，与 --correct 同用；默认为已告知的那家。",
    "Which parcel's number is wrong, with --correct, where there are several.": (
        "有多个包裹时，哪个包裹的运单号有误，与 --correct 同用。"
    ),
    "Why, with --correct; it is journaled with your name.": "原因，与 --correct 同用；连同你的名字记入日志。",
    # --- correcting
    "{options}: only with --correct": "{options}：只能与 --correct 同用",
    "--correct needs {options}": "--correct 还需要 {options}",
    "nothing was told to a platform of {name}": "没有向平台告知过 {name} 的运单号",
    "an order or a shipment, as orderctl view and ledger show tell them": "写订单或发货单，可用 orderctl view 或 ledger show 查看",
    "{key} is {state}: only what was told can be corrected": "{key} 的状态是 {state}：只有已告知的才能更正",
    "{order} was told in several shipments: name one of {shipments}": "{order} 在多个发货单中告知过：请指明其中之一：{shipments}",
    "{subject}: the ledger does not know which number was told": "{subject}：台账不知道告知过哪个运单号",
    "{subject} was told with {count} parcels: say which one with --parcel": "{subject} 告知了 {count} 个包裹：用 --parcel 指明是哪一个",
    "{subject} has no parcel {parcel}": "{subject} 没有第 {parcel} 个包裹",
    "{subject} has the number {number} already": "{subject} 已经是运单号 {number}",
    "{shop} is no shop with an API here": "{shop} 在这里不是有 API 的店铺",
    "{corrected} orders corrected, {before} were before, {blocked} blocked": "已更正 {corrected} 单，此前已更正 {before} 单，拦截 {blocked} 单",
}
