"""The sandbox command's sentences in Chinese."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "Serve stand-ins of the platforms and a courier on this machine, as strict and as nasty as the originals.": "在本机提供各电商平台和快递的替身，和真的一样严格、一样刁钻。",
    "Books that are there already are continued, with their shops and orders.": "目录里已有账册时接着用，店铺和订单都沿用原来的。",
    "A shop or platform there shall be; by default all of them.": "要哪个店铺或平台；默认全部都有。",
    "Write an orderctl.yaml with every shop of the sandbox.": "写出含沙箱全部店铺的 orderctl.yaml。",
    "serving {shops} at {url}, books in {books}; Ctrl-C ends it": "在 {url} 提供 {shops}，账册在 {books}；按 Ctrl-C 结束",
    "sandbox: {why}": "沙箱：{why}",
    "{books} has the shops {shops}, not {missing}": "{books} 里的店铺是 {shops}，没有 {missing}",
    "give another --books": "请另给一个 --books",
}
