"""`python -m orderctl.sandbox`: serve the stand-ins in a process of their own."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from orderctl.sandbox.server import serve


def say(url: str) -> None:
    """Tell whoever started the process where it listens."""
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted or terminated; prints one line with the base URL when ready."""
    parser = argparse.ArgumentParser(prog="python -m orderctl.sandbox")
    parser.add_argument("--state", type=Path, required=True, help="folder of the sandbox's memory")
    parser.add_argument("--port", type=int, default=0, help="loopback port, 0 for any")
    parser.add_argument("--shop", action="append", dest="shops", help="shop or platform, or all; repeatable")
    parser.add_argument("--seed", type=int, default=1, help="what decides the orders")
    parser.add_argument("--orders", type=int, default=40, help="orders in the beginning")
    parser.add_argument("--faults", type=int, default=None, help="seed of the default mix of faults")
    parser.add_argument("--fonts", type=Path, default=None, help="folder of fonts for label pictures")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(
            given.state,
            given.port,
            shops=given.shops,
            seed=given.seed,
            orders=given.orders,
            faults=given.faults,
            fonts=given.fonts,
            ready=say,
        )
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
