"""The stand-in of Pinduoduo."""

from orderctl.sandbox.pdd.standin import Pdd

__all__ = ["Pdd"]
