"""What other parts of the portal add to the admin page of a record that they do not own: buttons, and facts about it.

A layer above registers itself when the portal starts; the page asks whoever is registered. So a record's admin page
shows whether it is approved although nothing of the directory knows approvals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from django.db import models
from django.http import HttpRequest

if TYPE_CHECKING:
    from portal.audit.admin import Verb


@dataclass(frozen=True, slots=True)
class Mark:
    """A fact about a record, shown under its name: a pill, and where it is told in full."""

    word: str
    tone: str = ""
    icon: str = ""
    text: str = ""
    url: str = ""
    link: str = ""


class Beside(Protocol):
    """A part of the portal that adds to the pages of records."""

    def verbs(self, request: HttpRequest, obj: models.Model) -> list[Verb]:
        """Return the buttons that it adds for this reader."""
        ...

    def marks(self, request: HttpRequest, obj: models.Model) -> list[Mark]:
        """Return the facts that it knows and this reader may see."""
        ...


_parts: list[Beside] = []


def register(part: Beside) -> None:
    """Let a part add to the pages of records; a second time changes nothing."""
    if part not in _parts:
        _parts.append(part)


def verbs(request: HttpRequest, obj: models.Model) -> list[Verb]:
    """Return what all parts add to the buttons of a record."""
    return [verb for part in _parts for verb in part.verbs(request, obj)]


def marks(request: HttpRequest, obj: models.Model) -> list[Mark]:
    """Return what all parts know of a record."""
    return [mark for part in _parts for mark in part.marks(request, obj)]
