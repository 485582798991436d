"""The chain between two anchors as one reader may see it: rows laid open where they may, a bare link where not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.apps import apps

from portal.accounts.models import User
from portal.assurance.exporting.policy import Refused
from portal.audit import canonical
from portal.audit.chaining import Readers
from portal.audit.holds import TombstonedRow
from portal.audit.reading import Row
from portal.audit.seals import Seal, Shape
from portal.audit.shapes import ENVELOPE, PAYLOAD, Definition
from portal.audit.tables import TrailRow
from portal.lib.visibility import VisibleQuerySet

BATCH = 2000
TRAIL = str(TrailRow._meta.label_lower)
ALTERED = (
    "The record at position {position} of the chain ({source} {row}) is not as it was sealed, so that no packet is "
    "made. Run a full check of the trail, and tell the security lead."
)


@dataclass(frozen=True, slots=True)
class Link:
    """A position of the chain: with its row when the reader may see it."""

    seal: Seal
    definition: Definition
    history_shape: str
    row: Row | None

    @property
    def position(self) -> int:
        """Return the position in the chain."""
        return self.seal.position

    def value(self, name: str) -> str | None:
        """Return one column of the row as its text says it."""
        return self.values[name]

    @property
    def values(self) -> dict[str, str | None]:
        """Return all columns of the row as its text says them."""
        if self.row is None:
            return {}
        found: dict[str, str | None] = {}
        for part, text in ((ENVELOPE, self.row.envelope), (PAYLOAD, self.row.payload)):
            columns = self.definition.of(part)
            told = canonical.values_of(columns, text) if columns else []
            found |= {column.name: value for column, value in zip(columns, told, strict=True)}
        return found

    def as_json(self, number: int | None) -> dict[str, Any]:
        """Return the line of the chain's file; `number` is its place in the population."""
        if self.row is None:
            return {"position": self.position, "link": bytes(self.seal.link).hex()}
        found = {
            "position": self.position,
            "source": self.definition.source,
            "row": self.seal.row_id,
            "shape": self.definition.digest,
            "history_shape": self.history_shape,
            "payload_digest": bytes(self.seal.payload_digest).hex(),
            "history_digest": _hex(self.seal.history_digest),
            "envelope": self.row.envelope.decode(),
        }
        return found if number is None else {"number": number, **found}


def _hex(digest: Any) -> str:
    return canonical.NOTHING if digest is None else bytes(digest).hex()


@dataclass
class Walk:
    """Goes along the chain for one reader, and remembers which definitions it met."""

    user: User
    definitions: dict[str, str] = field(default_factory=dict)

    def links(self, first: int, last: int) -> Iterator[list[Link]]:
        """Yield the positions from `first` to `last`, some at a time.

        Refused is raised for a position that is missing, and for a row that is not as it was sealed.
        """
        for start in range(first, last + 1, BATCH):
            stop = min(start + BATCH - 1, last)
            seals = list(Seal.objects.filter(position__range=(start, stop)).order_by("position"))
            if [seal.position for seal in seals] != list(range(start, stop + 1)):
                raise Refused(ALTERED.format(position=start, source="a seal", row="is missing"))
            yield self._opened(seals)

    def _opened(self, seals: Sequence[Seal]) -> list[Link]:
        rows: dict[tuple[str, int], Row] = {}
        wanted: dict[str, list[int]] = defaultdict(list)
        for seal in seals:
            if seal.row_id in self._seen(seal.source, seals):
                wanted[self._shape(seal.shape_id).digest].append(seal.row_id)
        for digest, ids in wanted.items():
            definition = self._by_digest[digest]
            found = self._readers.of(definition).rows(ids)
            rows |= {(digest, key): found[key] for key in ids if key in found}
            self.definitions[digest] = definition.text
        self._visible.clear()
        lawful = _tombstoned([seal for seal in seals if seal.salt is None])
        return [self._link(seal, rows, lawful) for seal in seals]

    def _link(self, seal: Seal, rows: dict[tuple[str, int], Row], lawful: dict[int, bytes]) -> Link:
        definition = self._shape(seal.shape_id)
        told = self._shape(seal.history_shape_id).digest if seal.history_shape_id is not None else canonical.NOTHING
        link = Link(seal, definition, told, rows.get((definition.digest, seal.row_id)))
        if link.row is not None:
            _check(link, lawful.get(seal.position, b""))
        return link

    def _seen(self, source: str, seals: Sequence[Seal]) -> set[int]:
        """Return which rows of a source, among those that are sealed here, the reader may see."""
        if source not in self._visible:
            ids = [seal.row_id for seal in seals if seal.source == source]
            self._visible[source] = self._may_see(source, ids)
        return self._visible[source]

    def _may_see(self, source: str, ids: list[int]) -> set[int]:
        try:
            rows = apps.get_model(source)._default_manager.all()
        except (LookupError, ValueError):
            return set()
        if not isinstance(rows, VisibleQuerySet):
            return set()
        return set(rows.visible_to(self.user).filter(pk__in=ids).order_by().values_list("pk", flat=True))

    def _shape(self, key: int) -> Definition:
        if key not in self._shapes:
            self._shapes[key] = Definition.from_text(Shape.objects.get(pk=key).definition)
            self._by_digest[self._shapes[key].digest] = self._shapes[key]
        return self._shapes[key]

    @cached_property
    def _readers(self) -> Readers:
        return Readers()

    @cached_property
    def _shapes(self) -> dict[int, Definition]:
        return {}

    @cached_property
    def _by_digest(self) -> dict[str, Definition]:
        return {}

    @cached_property
    def _visible(self) -> dict[str, set[int]]:
        return {}


def _tombstoned(seals: Sequence[Seal]) -> dict[int, bytes]:
    """Return the digests of what tombstones put in place of these rows, by position. One query, none without any."""
    rows = TombstonedRow.objects.filter(seal__in=[seal.position for seal in seals])
    return {position: bytes(digest) for position, digest in rows.values_list("seal_id", "payload_digest")}


def _check(link: Link, lawful: bytes) -> None:
    """Refuse a row that is not as it was sealed: a packet must not vouch for it.

    `lawful` is the digest of what a tombstone put in its place.
    """
    seal, row = link.seal, link.row
    assert row is not None  # noqa: S101 - for the type checker
    digests = (bytes(seal.payload_digest), None if seal.history_digest is None else bytes(seal.history_digest))
    shapes = (link.definition.digest, link.history_shape)
    text = canonical.link_text(seal.position, seal.source, seal.row_id, shapes, digests, row.envelope)
    whole = canonical.link(text) == bytes(seal.link)
    if whole and seal.salt is not None:
        salt = bytes(seal.salt)[canonical.FOR_PAYLOAD]
        whole = canonical.payload_digest(salt, row.payload) == bytes(seal.payload_digest)
    elif whole:
        whole = canonical.payload_digest(b"", row.payload) == lawful
    if not whole:
        raise Refused(ALTERED.format(position=seal.position, source=seal.source, row=seal.row_id))
