"""The stand-in of Kuaishou's shop."""

from orderctl.sandbox.kuaishou.standin import Kuaishou

__all__ = ["Kuaishou"]
