"""Reading stored evidence again: what differs from its SHA-256, or is gone, is told and opens a security incident."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from portal.audit.actor import By, acting, current
from portal.records import services as records
from portal.records.evidence import policy, services, storing
from portal.records.evidence.enums import Kind, Result
from portal.records.evidence.models import Evidence, EvidenceCheck, EvidenceObject, EvidenceRule, named_digests

Clock = Callable[[], datetime]
SYSTEM = "system: evidence"
TOPIC = "incident.open"  # answered in incidents.sweeps
ANSWER_WITHIN = timedelta(minutes=5)
LEVEL = 1
AT_ONCE = 500
NAMED = 5
_WORDS = {
    Result.ALTERED: "The file is no longer what was collected: its SHA-256 is another one.",
    Result.MISSING: "The file is no longer where it was put, or cannot be read.",
}


@dataclass
class Report:
    """What reading everything again found. `left` are files that no row names, `strangers` what nobody put there."""

    objects: int = 0
    size: int = 0
    altered: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    young: int = 0

    @property
    def is_clean(self) -> bool:
        """Tell whether every row has its file, every file its row, and all are what was collected."""
        return not (self.altered or self.missing or self.left or self.strangers)

    def as_json(self) -> dict[str, Any]:
        """Return the report as one object."""
        return {
            "objects": self.objects,
            "bytes": self.size,
            "intact": self.objects - len(self.altered) - len(self.missing),
            "altered": self.altered,
            "missing": self.missing,
            "orphaned": self.left,
            "strangers": self.strangers,
            "on_their_way_in": self.young,
            "clean": self.is_clean,
        }


def verify_all(*, now: Clock, progress: Callable[[int, int], object] = lambda _done, _total: None) -> Report:
    """Read everything again, oldest first, and compare rows with files; `progress` is told bytes done and in all."""
    report = Report()
    total = sum(EvidenceObject.objects.order_by().values_list("size", flat=True))

    def tell(length: int) -> None:
        report.size += length
        progress(report.size, total)

    for stored in EvidenceObject.objects.order_by("pk").iterator(chunk_size=AT_ONCE):
        result = read_again(stored, now=now, tell=tell)
        report.objects += 1
        if result == Result.ALTERED:
            report.altered.append(_named(stored))
        elif result == Result.MISSING:
            report.missing.append(_named(stored))
    _compare_files(report, at=now())
    return report


def _named(stored: EvidenceObject) -> str:
    items = Evidence.objects.filter(stored=stored).order_by("pk").values_list("reference", flat=True)
    return f"{stored.digest} ({', '.join(items)})"


def _compare_files(report: Report, *, at: datetime) -> None:
    """Add the files that no row names. Those that are younger than an upload takes are on their way in."""
    for batch in _batches(storing.files(at=at)):
        known = named_digests(found.digest for found in batch if found.digest)
        for found in batch:
            if found.digest in known:
                continue
            if found.age <= storing.SAFE_AFTER and (found.digest or found.is_draft):
                report.young += 1
            elif found.digest or found.is_draft:
                report.left.append(found.name)
            else:
                report.strangers.append(found.name)


def _batches(found: Iterator[storing.Found]) -> Iterator[list[storing.Found]]:
    batch: list[storing.Found] = []
    for one in found:
        batch.append(one)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    yield batch


def read_again(
    stored: EvidenceObject, *, now: Clock, by: By | None = None, tell: Callable[[int], object] | None = None
) -> Result:
    """Read one file again, outside of any transaction, and tell the result of every item that it is the content of."""
    result = _result(stored, tell)
    context = current()
    at, who = now(), by or (context.actor if context is not None else SYSTEM)
    with transaction.atomic(), acting(by=who, at=at, anew=context is not None):
        check, _ = EvidenceCheck.objects.select_for_update(of=("self",)).get_or_create(stored=stored)
        was_bad = check.result in {Result.ALTERED, Result.MISSING}
        check.checked_at, check.result = at, result
        check.since = (check.since or at) if result != Result.INTACT else None
        check.save()
        items = list(Evidence.objects.filter(stored=stored).order_by("pk"))
        for item in items:
            services.tell(item, Kind.VERIFIED, by=who, at=at, result=result, reason=_WORDS.get(result, ""))
        if result != Result.INTACT and not was_bad:
            _raise_alarm(stored, items, result, by=who, at=at)
    return result


def _result(stored: EvidenceObject, tell: Callable[[int], object] | None) -> Result:
    try:
        found = storing.measure(storing.path_of(stored.digest), tell)
    except OSError:
        return Result.MISSING
    return Result.INTACT if found == (stored.size, stored.digest) else Result.ALTERED


def _raise_alarm(stored: EvidenceObject, items: list[Evidence], result: Result, *, by: By, at: datetime) -> None:
    """Ask for a security incident, once for each time that a file turns bad, and say so where the evidence is."""
    names = ", ".join(item.reference for item in items[:NAMED]) + (" and more" if len(items) > NAMED else "")
    for item in items:
        if item.subject is not None:
            text = f"found evidence {item.reference} {result.label.lower()}"
            records.write_note(item.subject, kind=services.NOTE, text=text, detail=_WORDS[result], by=by, at=at)
    records.ask(
        topic=TOPIC,
        key=f"evidence:{stored.pk}:{at.isoformat()}",
        payload={
            "title": f"Evidence {names} is {result.label.lower()}",
            "description": f"{_WORDS[result]} Its SHA-256 is {stored.digest}. Keep the disk as it is, find out who "
            "could write there, and look for the file in the backup. Its custody is on the page of the evidence.",
            "type": "security",
            "level": LEVEL,
            "dedup_key": f"evidence:{stored.pk}",
        },
        by=SYSTEM,
        at=at,
        answer_by=at + ANSWER_WITHIN,
    )


def damaged() -> int:
    """Return how many stored files were altered or missing when they were read last."""
    found: int = EvidenceCheck.objects.bad().count()
    return found


def late(*, at: datetime) -> timedelta | None:
    """Return for how long the longest unread file should have been read again; nothing while none is late."""
    rule = EvidenceRule.now()
    check = EvidenceCheck.objects.due(at=at, every=rule.every).select_related("stored").first()
    if check is None:
        return None
    since = check.checked_at if check.checked_at is not None and check.checked_at <= at else check.stored.stored_at
    overdue = at - since - (rule.every if check.checked_at is not None else timedelta(0))
    return overdue if overdue > policy.LATE else None
