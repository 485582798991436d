"""How a reference page is laid out: its heading and its tables."""

from __future__ import annotations

from collections.abc import Iterable

PRINTED = "This page is printed from the code by `manage.py docs`. Change the code, then print it again."


def title(words: str) -> list[str]:
    """Return the heading of a page, and where it is from."""
    return [f"# {words}", "", PRINTED, ""]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return a table."""
    columns = list(head)
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def yes(fact: object) -> str:
    """Return "yes" for what is so, nothing for what is not."""
    return "yes" if fact else ""
