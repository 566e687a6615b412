"""The stand-in of JD: the classic gateway (JOS), the SP-API and the login of both."""

from orderctl.sandbox.jd.standin import Jd

__all__ = ["Jd"]
