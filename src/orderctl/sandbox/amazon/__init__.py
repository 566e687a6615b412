"""Amazon: the Selling Partner API with its login server, two sellers."""

from orderctl.sandbox.amazon.standin import Amazon

__all__ = ["Amazon"]
