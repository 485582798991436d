"""The heads of the chain that were noted or signed: whether the chain still has them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connections
from django.db.models import Max

from portal.audit import anchors
from portal.audit.anchors import Signed
from portal.audit.reading import fetch
from portal.audit.sealer import label_of
from portal.audit.seals import Anchor, Seal, SealBatch
from portal.audit.shapes import sources
from portal.audit.signing import known_keys
from portal.audit.verifying.parts import Gap
from portal.audit.verifying.report import Finding, Kind, Report
from portal.audit.verifying.walking import Walk


class Heads:
    """Compares anchors, kept here and elsewhere, and the sealer's own notes with the chain."""

    def __init__(self, walk: Walk, report: Report, using: str, against: Sequence[Signed] = ()) -> None:
        self.walk, self.report, self.using = walk, report, using
        self.given = list(against)
        self.signed: list[tuple[Signed, str]] = []
        self.genuine: list[tuple[Signed, str]] = []

    def gather(self) -> None:
        """Take the anchors of the database, of the file beside it and those given."""
        here = Anchor.objects.using(self.using).order_by("position", "id")
        self.signed = [(anchors.read(anchor.line()), "kept in the database") for anchor in here.iterator()]
        path = Path(settings.ANCHOR_FILE)
        try:
            kept = anchors.kept_in(path) if path.is_file() else []
        except anchors.Unreadable as problem:
            self.report.add(Finding(Kind.ANCHOR, f"The anchors kept beside the database: {problem}"))
            kept = []
        self.signed += [(anchor, f"kept in {path.name}") for anchor in kept]
        self.signed += [(anchor, "given") for anchor in self.given]
        known = known_keys()
        for anchor, where in self.signed:
            name = f"The anchor of position {anchor.position:,}, {where},"
            if not anchor.is_genuine():
                self._say(anchor, f"{name} was altered: its signature fails.")
            elif known.get(anchor.key_id) != anchor.public_key:
                words = f"{name} is signed by {anchor.key_id}, a key that this machine does not know."
                self._say(anchor, f"{words} Compare it with the key that you wrote down (docs/operator.md).")
            else:
                self.genuine.append((anchor, where))
        self.report.anchors = len(self.genuine)
        self.report.keys = sorted({anchor.key_id for anchor, _ in self.genuine})
        self.walk.signed((anchor.position, datetime.fromisoformat(anchor.signed_at)) for anchor, _ in self.genuine)

    def note_cut(self) -> None:
        """Add a gap at the end when something knows of positions beyond it."""
        end = self.walk.last.position if self.walk.last is not None else 0
        beyond = [
            (anchor.position, f"the anchor of {anchor.signed_at}, {where}, is of position {anchor.position:,}")
            for anchor, where in self.signed
        ]
        last = SealBatch.objects.using(self.using).order_by("-last").values_list("last", flat=True).first() or 0
        beyond.append((last, f"the sealer has noted position {last:,}"))
        position, told = max(beyond)
        if position > end:
            self.walk.gaps.append(Gap(end + 1, position, self.walk.last, None, told))
            return
        if last < end:
            words = f"The sealer has noted position {last:,} as its last, seals go on to {end:,}: notes were removed."
            self.report.add(Finding(Kind.SEAL_EDITED, words, SealBatch._meta.db_table, None, end))
        for table, key, given in numbers_given(self.using):
            words = f"{table} has given out numbers up to {given:,}, and no row has the last: its end was cut off."
            self.report.add(Finding(Kind.CUT, words, table, key))

    def compare(self, blamed: Collection[int]) -> None:
        """Add findings for where the chain was made anew. Positions that are `blamed` already say enough."""
        self._agree(self.genuine, blamed)
        self._batches(blamed)

    def _agree(self, genuine: Iterable[tuple[Signed, str]], blamed: Collection[int]) -> None:
        """Say between which anchors the chain was made anew: the last that agrees and the first that does not."""
        found = sorted(genuine, key=lambda one: one[0].position)
        heads = self._heads({anchor.position for anchor, _ in found})
        agreed = 0
        for anchor, where in found:
            head = heads.get(anchor.position)
            if head == anchor.head:
                agreed = max(agreed, anchor.position)
            elif head is not None and anchor.position not in blamed:
                words = (
                    f"The chain was made anew: up to position {agreed:,} it is as it was signed, but the anchor of "
                    f"{anchor.signed_at}, {where}, has another head for position {anchor.position:,}. Whatever is "
                    f"sealed from position {agreed + 1:,} to {anchor.position:,} may have been altered."
                )
                self._say(anchor, words)
                return

    def _heads(self, positions: Collection[int]) -> dict[int, str]:
        rows = Seal.objects.using(self.using).filter(position__in=positions).values_list("position", "digest")
        return {position: bytes(digest).hex() for position, digest in rows} if positions else {}

    def _batches(self, blamed: Collection[int]) -> None:
        """Compare the sealer's notes: whoever makes the chain anew must alter them too."""
        quote = connections[self.using].ops.quote_name
        batches, seals = quote(SealBatch._meta.db_table), quote(Seal._meta.db_table)
        rows = fetch(
            connections[self.using],
            f"SELECT b.last FROM {batches} b JOIN {seals} s ON s.position = b.last "  # noqa: S608 - our own models
            "WHERE s.digest <> b.head ORDER BY b.last LIMIT 1",
        )
        for (position,) in rows:
            if position not in blamed and position + 1 not in blamed:
                words = f"The sealer has noted another head for position {position:,}: chain or note was altered."
                self.report.add(Finding(Kind.SEAL_EDITED, words, Seal._meta.db_table, None, position))

    def _say(self, anchor: Signed, sentence: str) -> None:
        self.report.add(Finding(Kind.ANCHOR, sentence, Anchor._meta.db_table, None, anchor.position))


def numbers_given(using: str) -> list[tuple[str, int, int]]:
    """Return the tables whose last numbers no row and no seal has: the table, the last that one has, the last given.

    SQLite takes a number back when the transaction that took it is undone, so that none is ever missing at the end.
    PostgreSQL does not (nothing can be told there), and whoever cuts off rows may set the counter back as well.
    """
    if connections[using].vendor != "sqlite":
        return []
    given: dict[str, int] = dict(fetch(connections[using], "SELECT name, seq FROM sqlite_sequence"))
    found = []
    for model in sources():
        table = model._meta.db_table
        row = model._base_manager.using(using).aggregate(last=Max("pk"))["last"] or 0
        sealed = Seal.objects.using(using).filter(source=label_of(model)).aggregate(last=Max("row_id"))["last"] or 0
        if given.get(table, 0) > max(row, sealed):
            found.append((table, max(row, sealed), given[table]))
    return found
