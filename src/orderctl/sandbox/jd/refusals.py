"""How the JD stand-in says no: by a code of the gateway, or by the words of a business result."""

from __future__ import annotations

from typing import NoReturn

ZH = {
    "2": "调用次数超限", "4": "缺少版本参数", "5": "版本参数无效", "7": "缺少时间戳参数", "8": "时间戳参数无效",
    "11": "缺少签名参数", "12": "无效签名", "14": "缺少方法名参数", "15": "方法名不存在", "18": "缺少access_token参数",
    "19": "无效access_token", "20": "缺少app_key参数", "21": "无效app_key", "24": "应用无权访问该接口", "50": "无效调用",
    "62": "参数无效", "63": "JSON格式错误", "65": "平台连接后端服务超时", "67": "后端服务未知错误", "73": "只能在云鼎内调用",
}  # fmt: skip


class GatewayError(Exception):
    """A refusal of the gateway: `code` as the classic gateway writes it."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(f"{code} {why}")
        self.code, self.why = code, why

    @property
    def envelope(self) -> dict[str, str]:
        """Give the classic gateway's envelope."""
        return {"code": self.code, "zh_desc": ZH[self.code] + self.why, "en_desc": f"error {self.code}"}


class Refusal(Exception):
    """A refusal of the business behind the gateway, told in words."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def invalid(name: str, why: str = "") -> NoReturn:
    """Say that an argument is missing or wrong."""
    raise GatewayError("62", f"：{name} {why}".rstrip())
