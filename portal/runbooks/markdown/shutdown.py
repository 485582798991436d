"""Which sections of a text tell how to shut a system down."""

from __future__ import annotations

from collections.abc import Iterator

from portal.runbooks.markdown.layout import Layout
from portal.runbooks.markdown.reading import Section
from portal.runbooks.markdown.vocabulary import Place, place_of


def sections(layout: Layout) -> Iterator[Section]:
    """Yield each section that stands in the template's place for it, is called so, or stands under one that is."""
    named = {section.title for section, _, _ in layout.sections() if place_of(section.title) is Place.SHUTDOWN}
    for section, place, above in layout.sections():
        if place is Place.SHUTDOWN or named.intersection((section.title, *above)):
            yield section


def lines_of(layout: Layout) -> frozenset[int]:
    """Return the lines at which these sections begin."""
    return frozenset(section.line for section in sections(layout) if section.line)
