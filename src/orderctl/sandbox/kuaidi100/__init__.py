"""The stand-in of the courier aggregator Kuaidi100."""

from orderctl.sandbox.kuaidi100.standin import Kuaidi100

__all__ = ["Kuaidi100"]
