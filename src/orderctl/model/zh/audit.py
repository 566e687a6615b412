"""Chinese sentences of the audit."""

SENTENCES: dict[str, str] = {
    # --- what is found
    "the address lacks {missing}": "地址缺少 {missing}",
    "ask the buyer, or complete it at the platform": "联系买家，或到平台补全",
    "the phone number is doubtful: {why}": "电话号码可疑：{why}",
    "ask the buyer for another": "请买家另给一个号码",
    "on the blacklist: {who} ({why})": "在黑名单中：{who}（{why}）",
    "cancel it, or force it if you want to deliver": "取消订单；确要发货则强制放行",
    "it weighs {weight} g, more than {limit} g": "重 {weight} 克，超过 {limit} 克",
    "see whether it is meant so": "确认是否有意如此",
    "the total is {total} {currency}, less than {limit}": "合计 {total} {currency}，低于 {limit}",
    "the total is {total} {currency}, more than {limit}": "合计 {total} {currency}，高于 {limit}",
    "see whether the price is right": "确认价格是否有误",
    "{paid} {currency} is paid for what costs {cost}": "实付 {paid} {currency}，成本 {cost}",
    "unusually many pieces: {items}": "件数异常：{items}",
    "{discount} of {goods} {currency} is taken off": "货款 {goods} {currency} 中优惠 {discount}",
    "see whether the discount is meant so": "确认优惠是否有意如此",
    "the total is 0": "合计为 0",
    "nothing but gifts is left to ship": "待发的只有赠品",
    "many orders within {hours} hours: {counts}": "{hours} 小时内多单：{counts}",
    "see whether one person buys all there is": "确认是否有人囤货",
    "its notes changed after it was handed on ({at})": "交出之后备注有变（{at}）",
    "read them again": "请重新查看备注",
    "its recipient changed at the platform ({at})": "收件人在平台上有变（{at}）",
    "print nothing of what was made before": "此前生成的单据不要再打印",
    "an invoice is wanted": "要发票",
    "issue it with the parcel or at the platform": "随货或在平台开具",
    "promised to be shipped by {ship_by}: {left} left": "承诺 {ship_by} 前发货，还剩 {left}",
    "ship it first": "优先发货",
    "promised to be shipped by {ship_by}": "承诺 {ship_by} 前发货，已逾期",
    "ship it first, or tell the buyer": "优先发货，或告知买家",
    "waits until {until} for a second order or an early refund": "等到 {until}，看是否有第二单或退款",
    "nothing: it moves on by itself": "无需处理，到时自动放行",
    "risk {score} of 100: {reasons}": "风险 {score}/100：{reasons}",
    "look at the order, then force it or cancel it": "查看订单，然后强制放行或取消",
    # --- the words in them
    "missing: district": "区县",
    "missing: house number": "门牌号",
    "missing: more of the street": "街道详情",
    "why: masked": "打了码",
    "why: all the same digits": "数字全相同",
    "why: a test number": "测试号码",
    "why: not only digits": "含有非数字",
    "why: too short": "位数不够",
    "why: too long": "位数过多",
    "why: no area code": "座机缺区号",
    "why: no such number": "没有这样的号码",
    "who: buyer": "买家",
    "who: recipient": "收件人",
    "who: phone": "电话",
    # --- rules and decisions
    "{amount} {currency} cannot be paid": "{amount} {currency} 小于最小货币单位",
    "{source}: {cost} is no amount of {currency}": "{source}：{cost} 不是 {currency} 金额",
    "{source}: entry {at} is no key of a person": "{source}：第 {at} 条不是人员键",
    "orderctl ledger decide ORDER blacklist makes keys, orderctl ledger decisions shows them": (
        "用 orderctl ledger decide 订单 blacklist 生成键，用 orderctl ledger decisions 查看"
    ),
    "the decision blacklist of {subject} names no keys: make it again": "{subject} 的 blacklist 决定没有键：请重新作出",
    "{code} is no finding that can be forced": "{code} 不是可以强制放行的问题",
    "these can: {codes}": "可强制放行的有：{codes}",
    "--payload: 'of' takes a list of {known}": "--payload：of 取以下各项的列表：{known}",
    "the ledger holds no order {order}": "账本中没有订单 {order}",
    "give the id of an order that was fetched, such as taobao:SHOP:NUMBER": "给出抓取过的订单号，如 taobao:店铺:单号",
    "{order} tells nothing by which anybody could be known again": "{order} 没有可以认出任何人的信息",
    "pin, force, blacklist, sku, never_merge or always_merge.": (
        "pin 指定、force 强制、blacklist 拉黑、sku、never_merge 永不合并或 always_merge 总是合并。"
    ),
    'What is decided: {"courier": "SF"} for a pin, {"code": CODE} for a force, {"of": ["buyer"]} of a blacklist.': (
        '决定的内容：pin 如 {"courier": "SF"}，force 如 {"code": 代码}，blacklist 如 {"of": ["buyer"]}。'
    ),
    """to let {code} pass: orderctl ledger decide ORDER force --payload '{{"code": "{code}"}}' --reason WHY""": (
        """放行 {code}：orderctl ledger decide 订单 force --payload '{{"code": "{code}"}}' --reason 原因"""
    ),
}
