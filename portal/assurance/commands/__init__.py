"""The verbs of `manage.py audit`, one module each."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any, Protocol, TextIO


class Verb(Protocol):
    """What a module of this package offers. `handle` returns the exit code."""

    HELP: str

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the verb's options."""
        ...

    def handle(self, options: dict[str, Any], out: TextIO) -> int:
        """Do it and say what was done."""
        ...
