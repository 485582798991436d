"""Every file is read again; what differs is told, and opens one security incident each time it turns bad."""

from datetime import UTC, datetime, timedelta

import pytest

from incidents.enums import IncidentType
from incidents.models import Incident
from incidents.sweeps import sweep_incidents
from portal.records.evidence import storing, verifying
from portal.records.evidence.enums import Kind, Result
from portal.records.evidence.models import EvidenceCheck, EvidenceRule
from portal.records.evidence.sweeps import sweep_evidence
from portal.records.models import Demand
from tests.factories.evidence import LOG, make_evidence

pytestmark = pytest.mark.django_db


def at(days=0.0):
    moment = datetime.now(UTC) + timedelta(days=days)
    return lambda: moment


def harm(item, content=None):
    path = storing.path_of(item.stored.digest)
    path.chmod(0o600)
    path.unlink() if content is None else path.write_bytes(content)
    return path


def results(item):
    return list(item.custody.filter(kind=Kind.VERIFIED).order_by("pk").values_list("result", flat=True))


def test_what_is_new_is_read_within_minutes_and_then_every_week():
    item = make_evidence()
    assert sweep_evidence(now=at()) == 1
    assert sweep_evidence(now=at(6)) == 0
    assert sweep_evidence(now=at(8)) == 1
    assert results(item) == [Result.INTACT, Result.INTACT]


def test_one_look_reads_no_more_than_its_share_and_begins_with_the_longest_unread():
    EvidenceRule.objects.create(verify_megabytes=1)
    items = [make_evidence(bytes([number]) * 700_000) for number in range(3)]
    assert sweep_evidence(now=at()) == 1
    assert sweep_evidence(now=at(0.1)) == 1
    assert sweep_evidence(now=at(0.2)) == 1
    assert sweep_evidence(now=at(0.3)) == 0
    assert [len(results(item)) for item in items] == [1, 1, 1]


def test_a_moment_that_somebody_typed_ahead_keeps_nothing_from_being_read():
    item = make_evidence()
    EvidenceCheck.objects.update(checked_at=at(1000)(), result=Result.INTACT)
    assert sweep_evidence(now=at()) == 1
    assert results(item) == [Result.INTACT]


@pytest.mark.parametrize(("content", "result"), [(LOG.upper(), Result.ALTERED), (b"", "altered"), (None, "missing")])
def test_what_differs_opens_one_security_incident(content, result):
    item, twin = make_evidence(), make_evidence()
    sweep_evidence(now=at())
    harm(item, content)
    for days in (8, 16):
        sweep_evidence(now=at(days))
    assert results(item) == results(twin) == [Result.INTACT, result, result]
    demand = Demand.objects.get()
    assert item.reference in demand.payload["title"]
    sweep_incidents(at=at(16)())
    opened = Incident.objects.get(source=verifying.SYSTEM)
    assert opened.type == IncidentType.SECURITY
    assert verifying.damaged() == 1


def test_a_file_that_was_restored_is_whole_again_and_may_turn_bad_again():
    item = make_evidence()
    path = harm(item, LOG.upper())
    sweep_evidence(now=at())
    path.write_bytes(LOG)
    sweep_evidence(now=at(8))
    assert verifying.damaged() == 0
    path.unlink()
    sweep_evidence(now=at(16))
    assert results(item) == [Result.ALTERED, Result.INTACT, Result.MISSING]
    assert Demand.objects.count() == 2


def test_everything_is_read_and_compared_both_ways(folder):
    whole, altered, missing = make_evidence(b"1"), make_evidence(b"2"), make_evidence(b"3")
    harm(altered, b"x")
    harm(missing)
    draft = storing.Draft()
    draft.write(b"half")
    with storing.Draft() as orphan:
        orphan.write(b"orphan")
        left = storing.keep(orphan)
    (folder / "stranger").write_text("whose?")
    seen = []
    young = verifying.verify_all(now=at())
    report = verifying.verify_all(now=at(2), progress=lambda done, total: seen.append((done, total)))
    assert (young.left, young.young) == ([], 2)
    assert report.objects == 3
    assert report.altered == [f"{altered.stored.digest} ({altered.reference})"]
    assert report.missing == [f"{missing.stored.digest} ({missing.reference})"]
    assert sorted(report.left) == sorted(str(path.relative_to(folder)) for path in (left, draft.path))
    assert report.strangers == ["stranger"]
    assert not report.is_clean
    assert seen[-1] == (2, 3)
    assert results(whole) == [Result.INTACT, Result.INTACT]


def test_what_uploads_left_is_cleared_away_and_never_what_a_row_names():
    item = make_evidence()
    with storing.Draft() as orphan:
        orphan.write(b"orphan")
        left = storing.keep(orphan)
    sweep_evidence(now=at())
    assert left.exists()
    sweep_evidence(now=at(2))
    assert not left.exists()
    assert storing.path_of(item.stored.digest).exists()


def test_nothing_is_late_until_the_days_are_over():
    assert verifying.late(at=at()()) is None
    make_evidence(at=at()())
    assert verifying.late(at=at(1)()) is None
    assert verifying.late(at=at(300)()) > timedelta(days=200)
    sweep_evidence(now=at())
    assert verifying.late(at=at(8)()) is None
    assert verifying.late(at=at(9.5)()) > timedelta(days=2)


def test_of_two_sweeps_at_once_the_second_does_nothing():
    make_evidence()
    with storing.sweeping() as mine:
        assert mine
        assert sweep_evidence(now=at()) == 0
    assert sweep_evidence(now=at()) == 1
