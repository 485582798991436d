"""Who took what out of the portal, when and why: the row of an export from its asking to the end of its file."""

import uuid
from datetime import timedelta
from types import SimpleNamespace

import pytest

from portal.accounts.models import User
from portal.accounts.services import grant, withdraw
from portal.assurance.exporting import policy, services, storing, sweeps
from portal.assurance.exporting.enums import ExportState
from portal.assurance.exporting.policy import Refused
from portal.assurance.models import Export, ExportRule
from portal.audit.models import TrailRow
from portal.lib import clock
from portal.notify.models import Message
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.engagements import grant_record, make_engagement
from tests.factories.exports import ask, content, make_auditor, make_export
from tests.factories.incidents import make_incident
from tests.factories.packets import make_packet

pytestmark = pytest.mark.django_db
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def told(export):
    """What the trail tells of an export, oldest first."""
    rows = TrailRow.objects.filter(model="assurance.export", object_id=str(export.pk)).order_by("pk")
    return [(row.action, row.event.partition(":")[0]) for row in rows]


def make(held, text=b"x", rows=1):
    """Make a file by hand for an export that is held."""
    path = storing.begin(held.export, held.token) / "file"
    path.write_bytes(text)
    size, digest = storing.settle(path)
    return {"made": SimpleNamespace(path=path, rows=rows), "size": size, "digest": digest}


# Asking.


def test_an_export_is_a_row_before_it_is_anything_else():
    ada = make_auditor("ada", first_name="Ada", last_name="Lovelace", time_zone="Asia/Tokyo")
    export = ask(by=ada, reason="  Yearly \n audit ", query="action=created")
    assert (export.state, export.asked_by, export.asked_at) == ("waiting", "Ada Lovelace", NOON)
    assert (export.reason, export.zone, export.parameters) == (
        "Yearly audit",
        "Asia/Tokyo",
        {"query": "action=created"},
    )
    assert told(export) == [("event", "Asked for an export")]
    assert TrailRow.objects.get(object_id=str(export.pk), model="assurance.export").reason == "Yearly audit"


def test_nothing_is_exported_without_a_reason():
    with pytest.raises(Refused, match="Say why"):
        ask(reason=" \x00 ")
    assert not Export.objects.exists()


def test_only_what_one_may_see_can_be_asked_for():
    with pytest.raises(Refused, match="does not see this"):
        ask(by=make_user())


@pytest.mark.parametrize(("source", "kind"), [("nonsense", "csv"), ("trail", "packet"), ("trail", "exe")])
def test_what_does_not_exist_is_refused_with_a_sentence(source, kind):
    with pytest.raises(Refused, match="Choose"):
        ask(source, format=kind)


def test_the_same_thing_asked_for_twice_is_one_export():
    ada = make_auditor()
    assert ask(by=ada) == ask(by=ada)
    assert ask(by=ada, reason="Another") != ask(by=ada)
    assert ask(by=make_auditor()) != ask(by=ada)


def test_nobody_fills_the_queue_alone():
    ada = make_auditor()
    for number in range(policy.MOST_WAITING):
        ask(by=ada, reason=f"Reason {number}")
    with pytest.raises(Refused, match="wait already"):
        ask(by=ada, reason="One more")
    assert ask(by=make_auditor()).pk


# The lease.


def test_an_export_is_taken_once():
    export = ask()
    held = services.take(at=NOON)
    assert held.export == export
    assert services.take(at=NOON) is None
    assert services.take(at=NOON + policy.LEASE - SECOND) is None


def test_the_oldest_is_taken_first():
    second, first = ask(at=NOON), ask(at=NOON - SECOND)
    assert [services.take(at=NOON).export, services.take(at=NOON).export] == [first, second]


def test_what_a_dead_worker_held_is_taken_over_and_the_dead_settle_nothing():
    ask()
    dead = services.take(at=NOON)
    later = NOON + policy.LEASE
    alive = services.take(at=later)
    assert alive.export == dead.export
    assert not services.sign_of_life(dead, done=1, total=2, at=later)
    assert not services.fail(dead, "Too late.", at=later)
    assert not services.put_back(dead, wait=SECOND, at=later)
    ready = make(alive)
    assert not services.finish(dead, **ready, at=later)
    assert services.finish(alive, **ready, at=later)


def test_a_sign_of_life_renews_the_lease():
    ask()
    held = services.take(at=NOON)
    almost = NOON + policy.LEASE - SECOND
    assert services.sign_of_life(held, done=5, total=10, at=almost)
    assert services.take(at=NOON + policy.LEASE) is None
    assert Export.objects.get().percent == 50


def test_an_export_that_outlives_its_workers_fails_in_a_sentence():
    export, at = ask(), NOON
    for _ in range(policy.TRIES):
        assert services.take(at=at)
        at += policy.LEASE
    assert services.take(at=at) is None
    export.refresh_from_db()
    assert (export.state, export.settled_at) == ("failed", at)
    assert "stopped 3 times" in export.error


def test_what_is_put_back_leaves_no_file():
    export = ask()
    held = services.take(at=NOON)
    make(held)
    assert services.put_back(held, wait=SECOND, at=NOON)
    assert not storing.path_of(export).parent.exists()


def test_whoever_lost_the_lease_removes_nothing_of_who_holds_it():
    export = ask()
    dead = services.take(at=NOON)
    alive = services.take(at=NOON + policy.LEASE)
    ready = make(alive)
    assert storing.begin(dead.export, dead.token).is_dir()
    assert not services.put_back(dead, wait=SECOND, at=NOON)
    storing.tidy(dead.export, dead.token)
    assert services.finish(alive, **ready, at=NOON + policy.LEASE)
    export.refresh_from_db()
    assert services.fetch(export, by=export.requester, at=NOON + policy.LEASE)


def test_an_export_waits_unless_somebody_makes_one():
    assert services.waiting_since(at=NOON) is None
    ask(at=NOON - 5 * SECOND)
    assert services.waiting_since(at=NOON) == 5 * SECOND
    ask(at=NOON)
    held = services.take(at=NOON)
    assert services.waiting_since(at=NOON) is None
    assert services.waiting_since(at=NOON + policy.LEASE) == policy.LEASE + 5 * SECOND
    assert services.finish(held, **make(held), at=NOON)
    assert services.waiting_since(at=NOON + SECOND) == SECOND


def test_one_that_is_put_back_waits_for_a_while():
    ask()
    held = services.take(at=NOON)
    assert services.put_back(held, wait=10 * SECOND, at=NOON)
    assert services.take(at=NOON + 9 * SECOND) is None
    assert services.take(at=NOON + 10 * SECOND)


# The file.


def test_a_finished_export_knows_its_file_by_its_digest():
    export = make_export(format="csv")
    assert export.state == ExportState.DONE
    assert (export.size, export.digest) == storing.measure(storing.path_of(export))
    assert storing.path_of(export).name == f"{export.digest}.csv"
    assert storing.path_of(export).stat().st_mode & 0o077 == 0
    assert export.percent == 100
    assert export.lease_token is None


def test_whoever_asked_finds_it_in_the_inbox():
    ada = make_auditor()
    contact = make_contact("Ada", user=ada)
    export = make_export(by=ada)
    message = Message.objects.get(contact=contact)
    assert (message.lane, message.state, message.url_path) == ("inbox", "sent", export.get_absolute_url())
    assert message.title == f"{export.reference} is ready: {export.title}"
    assert export.digest in message.body


def test_a_failed_one_is_told_too(monkeypatch):
    ada = make_auditor()
    make_contact("Ada", user=ada)
    ask(by=ada)
    services.fail(services.take(at=NOON), "It is too large. Narrow it.", at=NOON)
    message = Message.objects.get()
    assert message.title.startswith(f"{Export.objects.get().reference} failed")
    assert message.body == "It is too large. Narrow it.\n"


def test_a_fetched_file_is_on_the_trail_with_its_figures():
    ada = make_auditor()
    export = make_export(by=ada)
    assert services.fetch(export, by=ada, at=NOON).read_bytes() == content(export)
    row = TrailRow.objects.filter(action="exported").get()
    figures = {found.field: found.new for found in row.differences}
    assert figures == {"rows": str(export.rows), "size": str(export.size), "digest": export.digest}
    assert (row.reference, row.reason) == (export.reference, "Yearly audit")
    assert [action for action, _ in told(export)] == ["event", "event", "exported"]


@pytest.mark.parametrize(
    ("source", "query", "told"),
    [
        ("trail", "action=created", "Created"),
        ("incidents", "severity=1", "severity: 1"),
        ("register", "model=directory.team&at=2026-11-17T09:00:00Z", "Teams as of 17 Nov 2026, 09:00 UTC"),
    ],
)
def test_the_trail_keeps_by_what_a_file_was_narrowed(source, query, told):
    ada = make_auditor()
    services.fetch(make_export(source, by=ada, query=query), by=ada, at=NOON)
    figures = {found.field: found.new for found in TrailRow.objects.get(action="exported").differences}
    assert figures["narrowed by"] == told


def test_the_trail_keeps_the_sample_and_the_seed_of_a_packet():
    ada = make_auditor()
    services.fetch(make_packet(by=ada, size=2, seed="dice"), by=ada, at=clock.now())
    figures = {found.field: found.new for found in TrailRow.objects.get(action="exported").differences}
    assert "a sample of 2 with the seed dice" in figures["narrowed by"]


def test_only_whoever_asked_fetches_the_file():
    export = make_export()
    with pytest.raises(Refused, match="Only whoever asked"):
        services.fetch(export, by=make_user(is_superuser=True), at=NOON)
    assert not TrailRow.objects.filter(action="exported").exists()


def test_a_file_is_not_fetched_by_somebody_who_may_no_longer_see_it():
    ada = make_auditor("ada")
    export = make_export(by=ada)
    ada.groups.clear()
    with pytest.raises(Refused, match="does not see this"):
        services.fetch(export, by=type(ada).objects.get(pk=ada.pk), at=NOON)


@pytest.mark.parametrize("harm", [lambda path: path.write_bytes(b"other"), lambda path: path.unlink()])
def test_a_file_that_is_not_what_was_made_is_not_handed_out(harm):
    ada = make_auditor()
    export = make_export(by=ada)
    harm(storing.path_of(export))
    with pytest.raises(Refused, match="not as it was made"):
        services.fetch(export, by=ada, at=NOON)


@pytest.mark.parametrize("state", ["waiting", "working", "failed"])
def test_there_is_no_file_before_it_is_ready(state):
    with pytest.raises(Refused):
        policy.check_fetch(state, is_requester=True)


def again(user):
    """The account as the next request finds it."""
    return User.objects.get(pk=user.pk)


def test_a_file_made_within_an_engagement_that_has_ended_is_not_fetched_within_another_one():
    ada = make_user("ada", roles=["auditor"], engaged=False)
    wide = make_engagement(ada)
    export = make_export(by=ada)
    make_engagement(ada, systems=[make_system("mail")])
    assert services.fetch(export, by=again(ada), at=NOON)
    wide.revoked_at, wide.revoked_by, wide.revoke_reason = NOON, "Leila Nasser", "The audit is over"
    wide.save()
    with pytest.raises(Refused, match="You may see less"):
        services.fetch(export, by=again(ada), at=NOON)


def test_a_file_made_with_a_record_granted_by_name_is_not_fetched_without_it():
    ada = make_auditor("ada")
    granted = grant_record(ada.engagements.get(), make_incident())
    export = make_export(by=again(ada))
    assert services.fetch(export, by=again(ada), at=NOON)
    granted.withdrawn_at, granted.withdrawn_by = NOON, "Leila Nasser"
    granted.save()
    with pytest.raises(Refused, match="You may see less"):
        services.fetch(export, by=again(ada), at=NOON)


def test_a_file_made_with_a_role_is_not_fetched_without_it():
    ada = make_user("ada", roles=["auditor", "security-lead"])
    export = make_export(by=ada)
    withdraw(ada, "security-lead", by="Leila Nasser", at=NOON, reason="Leave is over")
    with pytest.raises(Refused, match="You may see less"):
        services.fetch(export, by=again(ada), at=NOON)


def test_whoever_sees_more_than_before_fetches_what_they_had():
    ada = make_auditor("ada")
    export = make_export(by=ada)
    grant(ada, "manager", by="Leila Nasser", at=NOON, reason="Promoted")
    assert services.fetch(export, by=again(ada), at=NOON)


# The end of the file.


def test_a_file_expires_by_a_rule_that_everybody_can_see_and_the_row_stays():
    ada = make_auditor()
    export = make_export(by=ada)
    assert export.expires_at == NOON + 30 * DAY
    assert services.expire(at=export.expires_at - SECOND) == 0
    assert services.expire(at=export.expires_at) == 1
    assert not storing.path_of(export).exists()
    export.refresh_from_db()
    assert (export.state, export.expired_at, export.digest != "") == ("expired", NOON + 30 * DAY, True)
    with pytest.raises(Refused, match="has expired"):
        services.fetch(export, by=ada, at=NOON + 30 * DAY)


def test_a_file_is_not_fetched_after_its_time_though_no_sweep_came():
    ada = make_auditor()
    export = make_export(by=ada)
    with pytest.raises(Refused, match="has expired"):
        services.fetch(export, by=ada, at=export.expires_at)


def test_an_administrator_says_how_long_files_are_kept():
    rule = ExportRule.objects.first() or ExportRule()
    rule.keep_days = 3
    rule.save()
    assert make_export().expires_at == NOON + 3 * DAY
    assert ExportRule.history.exists()


def test_what_dead_workers_left_is_removed():
    export = ask()
    held = services.take(at=NOON)
    left = storing.begin(held.export, held.token)
    (left / "half").write_bytes(b"half")
    sweeps.make_exports(now=lambda: NOON + policy.LEASE)
    export.refresh_from_db()
    assert [path.name for path in storing.path_of(export).parent.iterdir()] == [f"{export.digest}.csv"]


def test_a_token_makes_the_caller_the_worker():
    token = uuid.uuid4()
    export = services.ask(
        source="trail", format="csv", parameters={}, by=make_auditor(), at=NOON, reason="At once", token=token
    )
    assert services.take(at=NOON) is None
    assert services.sign_of_life(services.Held(export, token), done=0, total=1, at=NOON)
