"""orderctl: the order desk in a shell."""

__version__ = "0.1.0"
