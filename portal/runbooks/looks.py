"""How states of versions look: a word, a tone and an icon."""

from __future__ import annotations

from typing import NamedTuple

from portal.runbooks.enums import VersionState


class Look(NamedTuple):
    """A pill."""

    word: str
    tone: str
    icon: str


LOOKS: dict[str, Look] = {
    VersionState.DRAFT: Look("Draft", "plain", "pencil-line"),
    VersionState.IN_REVIEW: Look("In review", "blue", "eye"),
    VersionState.PUBLISHED: Look("In force", "green", "book-open-check"),
    VersionState.SUPERSEDED: Look("Superseded", "", "history"),
    VersionState.DISCARDED: Look("Discarded", "", "circle-x"),
}
