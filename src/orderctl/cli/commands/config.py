"""orderctl config show"""

from __future__ import annotations

from orderctl.cli.session import Session


def show(session: Session) -> None:
    """Print the configuration in effect, each value with where it comes from; secrets are masked."""
    from orderctl.cli.showing import show_config

    show_config(session)


HELP = "Show the configuration in effect."
SUBCOMMANDS = {"show": show}
