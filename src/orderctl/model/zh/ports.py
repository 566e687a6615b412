"""Chinese sentences of the connectors to platforms and couriers."""

SENTENCES = {
    # HTTP
    "{operation}: refused (HTTP {status})": "{operation}：被拒绝（HTTP {status}）",
    "{operation}: the answer cannot be read": "{operation}：返回内容无法识别",
    "{operation}: the connection was cut": "{operation}：连接中断",
    "{operation}: too many calls": "{operation}：调用过于频繁",
    "{operation}: credentials refused (HTTP {status})": "{operation}：凭证被拒绝（HTTP {status}）",
    "{operation}: the other side failed (HTTP {status})": "{operation}：对方服务出错（HTTP {status}）",
    "{operation}: the other side's certificate is not trusted": "{operation}：对方的证书不受信任",
    "{operation}: a credential holds characters that HTTP cannot carry": "{operation}：凭证中含有无法传输的字符",
    "{operation}: no connection": "{operation}：无法连接",
    "{operation}: no answer in time": "{operation}：等待超时",
    "{operation}: redirected too often": "{operation}：跳转次数过多",
    "{operation}: the rate limit leaves no room before {at}": "{operation}：调用次数受限，{at} 之前没有空位",
    "{operation}: leads to an address that is not allowed": "{operation}：指向了不允许访问的地址",
    "an address must not carry a user name or password: {host}": "地址中不能带用户名或密码：{host}",
    "{scheme}://{host}: only https:// is allowed (http:// only to this machine)": (
        "{scheme}://{host}：只允许 https://（http:// 仅限本机）"
    ),
    "an address in the configuration is no URL": "配置中有一个地址不是有效的网址",
    # configuration
    "unknown platform '{name}' (known: {known})": "未知的平台“{name}”（可用：{known}）",
    "unknown issuer '{name}' (known: {known})": "未知的取号方“{name}”（可用：{known}）",
    "unknown sign_method '{name}' (known: md5, hmac, hmac-sha256)": (
        "未知的 sign_method“{name}”（可用：md5, hmac, hmac-sha256）"
    ),
    "shop {shop}: the setting '{name}' is missing": "店铺 {shop}：缺少设置“{name}”",
    "shop {shop}: 'history_days' is no number of days": "店铺 {shop}：“history_days”不是天数",
    "issuer {issuer}: the setting '{name}' is missing": "取号方 {issuer}：缺少设置“{name}”",
    "issuer {issuer}: 'first' and 'last' are no range of numbers": (
        "取号方 {issuer}：“first”和“last”不是一个号段"
    ),
    "shop {shop}: no code for courier '{courier}' at this platform": (
        "店铺 {shop}：该平台没有快递公司“{courier}”的编码"
    ),
    "issuer {issuer}: no code for courier '{courier}'": "取号方 {issuer}：没有快递公司“{courier}”的编码",
    "set courier.{courier} for the shop": "请为该店铺设置 courier.{courier}",
    "set courier.{courier} for the issuer": "请为该取号方设置 courier.{courier}",
    "set token, or client_id and client_secret": "请设置 token，或者 client_id 与 client_secret",
    # logging in
    "shop {shop}: not logged in yet": "店铺 {shop}：尚未授权",
    "shop {shop}: this login cannot be renewed": "店铺 {shop}：该授权无法续期",
    "shop {shop}: this platform needs no login page": "店铺 {shop}：该平台不需要登录页面",
    "shop {shop}: the platform does not say whose it is": "店铺 {shop}：平台没有说明它属于谁",
    "log in again with orderctl auth": "请用 orderctl auth 重新授权",
    "the platform's answer to the login holds no token": "平台对登录的答复中没有令牌",
    "{operation}: the access token is missing or has expired ({code})": (
        "{operation}：访问令牌缺失或已过期（{code}）"
    ),
    "{operation}: the app has no permission for this ({code})": "{operation}：应用没有这项权限（{code}）",
    "{operation}: app key or secret is wrong ({code})": "{operation}：App Key 或密钥错误（{code}）",
    "{operation}: the app may not read or change {fields}": "{operation}：应用无权读取或修改 {fields}",
    "grant the access scope in the shop's app settings": "请在店铺的应用设置中授予相应权限",
    "{operation}: key, secret or balance refused ({code})": "{operation}：授权 key、密钥或余额有问题（{code}）",
    "check the key, the secret and the balance of the account": "请检查账号的 key、密钥和余额",
    # answers
    "{operation}: refused ({code})": "{operation}：被拒绝（{code}）",
    "{operation}: too many calls ({code})": "{operation}：调用过于频繁（{code}）",
    "{operation}: the platform is busy ({code})": "{operation}：平台繁忙（{code}）",
    "{operation}: the platform failed inside ({code})": "{operation}：平台内部出错（{code}）",
    "{operation}: the platform refuses our time ({code})": "{operation}：平台不接受我们的时间（{code}）",
    "check the clock of this machine": "请检查本机时间",
    "{operation}: the query is too dear ({code})": "{operation}：查询开销过大（{code}）",
    "shopify: the platform did not obey the time filter": "shopify：平台没有按时间条件筛选",
    "shop {shop}: the platform answers in API version {got} instead of {asked}": (
        "店铺 {shop}：平台以 API 版本 {got} 答复，而不是 {asked}"
    ),
    "shop {shop}: the app may not see {fields} (protected customer data)": (
        "店铺 {shop}：应用无权查看 {fields}（受保护的客户数据）"
    ),
    # shipping
    "{operation}: the order was already shipped, or is closed ({code})": "{operation}：订单已发货或已关闭（{code}）",
    "{operation}: the platform knows no such order ({code})": "{operation}：平台没有这个订单（{code}）",
    "{operation}: the order is in a state that cannot be shipped ({code})": (
        "{operation}：订单当前状态不能发货（{code}）"
    ),
    "{operation}: the platform does not accept this tracking number ({code})": (
        "{operation}：平台不接受这个运单号（{code}）"
    ),
    "{operation}: the platform does not accept this courier ({code})": "{operation}：平台不接受这家快递公司（{code}）",
    "{operation}: the sender's address book entry is wrong ({code})": "{operation}：发货地址库有误（{code}）",
    "{operation}: the platform does not accept this split ({code})": "{operation}：平台不接受这样拆单（{code}）",
    "{operation}: orders of this kind are shipped in another way ({code})": (
        "{operation}：这类订单要用别的方式发货（{code}）"
    ),
    "order {order}: this platform ships a line only as a whole": "订单 {order}：该平台的一条明细只能整条发货",
    "order {order}: the platform knows no such order": "订单 {order}：平台没有这个订单",
    "order {order}: it was already shipped with another number": "订单 {order}：已用另一个运单号发货",
    "look at the order in the shop's back office before doing anything": "处理之前请先到店铺后台查看该订单",
    "order {order}: nothing of it is left to ship": "订单 {order}：没有剩余可发的商品",
    "order {order}: its lines are those of a file, which the platform does not know": "订单 {order}：明细来自导出文件，平台不认识",
    "give it the number in the shop's back office, or fetch the order anew": "请在店铺后台填写单号，或重新抓取该订单",
    "order {order}: it was cancelled": "订单 {order}：已取消",
    "order {order}: the platform has not prepared it for shipping yet": "订单 {order}：平台尚未准备好发货",
    "order {order}: it is on hold at the platform": "订单 {order}：在平台上被挂起",
    "order {order}: it is scheduled for later at the platform": "订单 {order}：平台安排了稍后发货",
    "order {order}: somebody else ships it, or the app may not": "订单 {order}：由别人发货，或者应用无权发货",
    "order {order}: the platform refuses the shipment ({fields})": "订单 {order}：平台拒绝了发货（{fields}）",
    "order {order}: only part of it could be reported as shipped": "订单 {order}：只有一部分成功上报发货",
    # waybills
    "{operation}: it is no picture": "{operation}：返回的不是图片",
    "{reference}: the number can no longer be asked for": "{reference}：已无法再查询运单号",
    "look for it in the issuer's console, then settle it with orderctl ledger resolve": (
        "请到取号方后台查找，然后用 orderctl ledger resolve 处理"
    ),
    "the platform's list leads back to the same page": "平台的列表又回到了同一页",
    "shop {shop}: this platform sends no messages that could be read": "店铺 {shop}：该平台没有可读取的推送消息",
    "fetch its orders by time": "请按时间抓取订单",
    "shop {shop}: the platform did not sign this message": "店铺 {shop}：这条消息不是平台签名的",
    "compare the secret in orderctl.yaml with the one of the platform's back office": (
        "请核对 orderctl.yaml 中的密钥与平台后台的是否一致"
    ),
    "shop {shop}: this message names no order in a way we know": "店铺 {shop}：这条消息里没有认得出的订单号",
    "order {order}: no dispatch bears the number to be corrected": "订单 {order}：没有使用待更正运单号的发货记录",
}
