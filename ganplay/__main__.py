"""`python -m ganplay`, and the command `ganplay` of an installed package."""

import sys

from ganplay import memory
from ganplay.cli import HEAVY, main


def run() -> int:
    """The command line in a process of its own; the exit code."""
    if set(sys.argv[1:2]) & set(HEAVY):
        memory.keep()
    return main()


if __name__ == "__main__":
    sys.exit(run())
