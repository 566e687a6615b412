"""The stand-in of Taobao and Tmall (TOP)."""

from orderctl.sandbox.taobao.standin import Taobao

__all__ = ["Taobao"]
