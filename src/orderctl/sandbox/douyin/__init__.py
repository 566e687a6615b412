"""The stand-in of Douyin's shops (Doudian)."""

from orderctl.sandbox.douyin.standin import Douyin

__all__ = ["Douyin"]
