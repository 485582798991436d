"""What goes around history is found, by object and field; what goes through it is not."""

import json
from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, models, transaction

from incidents.models import EscalationPolicy, IntakeToken
from portal.accounts.models import User
from portal.audit.guards import lifted
from portal.audit.models import TrailRow
from portal.audit.reconciling import Kind, compared, parts, running
from portal.audit.reconciling.running import audited_models
from portal.directory.models import Calendar, Contact, RecoveryObjective, Severity, System, Team
from tests.factories.accounts import make_user
from tests.factories.anything import make
from tests.factories.directory import NOON, make_channel, make_contact, make_shift, make_system, make_team
from tests.factories.incidents import make_incident, make_policy, make_token

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def sql(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def plain(model):
    """A QuerySet that knows nothing of history."""
    return models.QuerySet(model)


def told(findings):
    return {(found.kind, found.model, found.object_id, found.field) for found in findings}


def test_whatever_goes_through_history_is_no_finding(reconcile):
    team, mei = make_team(members=[make_contact()]), make_contact("Mei Tanaka")
    mei.teams.add(team)
    team.name = "Nights"
    team.save()
    team.members.clear()
    make_user(roles=["auditor"])
    make_incident(systems=[make_system(owner=team, rto=5)])
    make_policy(steps=[team, mei], systems=[make_system()])
    make_shift(team, mei)
    make_token()
    calendar = Calendar.objects.create(name="Works", opens="08:15")
    Calendar.objects.create(name="Gone").delete()
    calendar.closes = "18:00"
    calendar.save(update_fields=["closes"])
    user = make_user()
    user.set_password("another long sentence 42")
    user.save()
    assert reconcile() == []


@pytest.mark.parametrize("model", audited_models(), ids=lambda model: model._meta.label)
def test_a_row_of_any_audited_model_is_no_finding(reconcile, model):
    make(model)
    make(model)
    assert reconcile() == []


NOTHING = {"BooleanField": True, "DateTimeField": NOON, "DateField": NOON.date(), "TimeField": time(9)}
CHANGES = (
    (bool, lambda value: not value),
    (datetime, lambda value: value + timedelta(microseconds=1)),
    (date, lambda value: value + timedelta(days=1)),
    (time, lambda value: value.replace(second=59)),
    (dict | list, lambda _: {"other": 1}),
    (str, lambda value: "x" if value != "x" else "y"),
    (int | float, lambda value: value + 1),
    (UUID, lambda value: UUID(int=value.int ^ 1)),
)


def another(field, value):
    """Return a value of the same kind that is not this one."""
    if value is None:
        return NOTHING.get(field.get_internal_type(), 7)
    return next(change(value) for kind, change in CHANGES if isinstance(value, kind))


@pytest.mark.parametrize("model", audited_models(), ids=lambda model: model._meta.label)
def test_a_difference_in_any_field_of_any_audited_model_is_found(reconcile, model):
    """History is made to differ, because no constraint of the row itself stands in the way there."""
    row = make(model)
    kept = row.history.order_by("-history_id").first()
    fields = [field for field, _, _ in compared.Compared(model).columns]
    others = {field.attname: another(field, getattr(kept, field.attname)) for field in fields}
    with lifted():
        plain(type(kept)).filter(pk=kept.pk).update(**others)
        found = [one for one in reconcile() if one.kind != Kind.MISTOLD]
    assert {(one.kind, one.model, one.object_id) for one in found} == {
        (Kind.DIFFERS, model._meta.label_lower, str(row.pk))
    }
    assert sorted(one.field for one in found) == sorted(field.name for field in fields)


def test_a_finding_says_model_object_field_both_values_and_a_sentence(reconcile):
    severity = Severity.objects.get(code="SEV-1")
    sql("UPDATE directory_severity SET target = '3 days' WHERE id = %s", severity.pk)
    (found,) = reconcile()
    assert (found.kind, found.model, found.object_id) == (Kind.DIFFERS, "directory.severity", str(severity.pk))
    assert (found.field, found.live, found.kept) == ("target", "3 days", "15 minutes")
    assert found.row == severity.history.first().history_id
    assert found.sentence == (
        f"Severity SEV-1 Critical (number {severity.pk}) holds another value than its newest history row: "
        "target is 3 days, history says 15 minutes."
    )


def test_a_value_taken_away_and_one_put_where_none_was_are_found(reconcile):
    objective = RecoveryObjective.objects.create(system=make_system(), rto_minutes=5)
    plain(RecoveryObjective).filter(pk=objective.pk).update(rto_minutes=None, rpo_minutes=7)
    found = {one.field: (one.live, one.kept) for one in reconcile()}
    assert found == {"rto_minutes": (None, "5"), "rpo_minutes": ("7", None)}


def test_a_relation_to_one_is_told_by_name(reconcile):
    ours, theirs = make_team(name="Ours"), make_team(name="Theirs")
    system = make_system(owner=ours)
    plain(System).filter(pk=system.pk).update(owner=theirs)
    (found,) = reconcile()
    assert (found.live, found.kept) == (f"Theirs ({theirs.pk})", f"Ours ({ours.pk})")


def test_secrets_are_found_and_not_told(reconcile):
    token, _ = make_token()
    channel = make_channel(kind="slack", address="https://hooks.slack.com/services/T1/B2/verysecret")
    plain(IntakeToken).filter(pk=token.pk).update(digest="0" * 64)
    sql(
        "UPDATE directory_channel SET address = 'https://hooks.slack.com/services/T1/B2/stolen' WHERE id = %s",
        channel.pk,
    )
    found = reconcile()
    assert {(one.field, one.live, one.kept) for one in found} == {
        ("digest", "not shown", "not shown"),
        ("address", "not shown", "not shown"),
    }
    text = json.dumps([one.as_json() for one in found])
    assert not any(word in text for word in ("verysecret", "stolen", "0000"))


def test_a_moment_moved_by_a_microsecond_is_found(reconcile):
    incident = make_incident()
    moment = incident.declared_at.replace(microsecond=1)
    type(incident)  # the plain QuerySet: the model's own refuses
    plain(type(incident)).filter(pk=incident.pk).update(declared_at=moment)
    (found,) = reconcile()
    assert found.live == "2026-11-17T12:00:00.000001Z"


def test_a_row_put_in_by_hand_is_found(reconcile):
    plain(Contact).bulk_create([Contact(name="Nobody")])
    (found,) = reconcile()
    assert (found.kind, found.model) == (Kind.UNRECORDED, "directory.contact")


def test_a_row_taken_out_by_hand_is_found(reconcile):
    calendar = Calendar.objects.create(name="Works")
    plain(Calendar).filter(pk=calendar.pk)._raw_delete("default")
    (found,) = reconcile()
    assert (found.kind, found.object_id, found.name) == (Kind.VANISHED, str(calendar.pk), "Works")


def test_a_row_brought_back_by_hand_is_found(reconcile):
    calendar = Calendar.objects.create(name="Works")
    key = calendar.pk
    calendar.delete()
    plain(Calendar).bulk_create([Calendar(pk=key, name="Works")])
    (found,) = reconcile()
    assert (found.kind, found.object_id) == (Kind.RETURNED, str(key))


def test_relations_put_in_and_taken_out_by_hand_are_found(reconcile):
    team, ada, mei = make_team(), make_contact("Ada"), make_contact("Mei")
    team.members.add(ada)
    Team.members.through.objects.filter(contact=ada).delete()
    Team.members.through.objects.create(team=team, contact=mei)
    (found,) = reconcile()
    assert (found.kind, found.field, found.object_id) == (Kind.RELATED, "members", str(team.pk))
    assert (found.live, found.kept) == (f"Mei ({mei.pk})", f"Ada ({ada.pk})")


def test_a_role_given_by_hand_is_found(reconcile):
    user, root = make_user(), make_user(roles=["administrator"])
    User.groups.through.objects.create(user=user, group=root.groups.get())
    (found,) = reconcile()
    assert (found.model, found.field, found.live) == (
        "accounts.user",
        "groups",
        f"Administrator ({root.groups.get().pk})",
    )


def test_a_relation_of_a_row_that_never_had_one_is_found(reconcile):
    policy, system = EscalationPolicy.objects.create(name="Nights"), make_system()
    EscalationPolicy.systems.through.objects.create(escalationpolicy=policy, system=system)
    (found,) = reconcile()
    assert (found.field, found.kept) == ("systems", None)


def test_a_forged_history_row_is_found(reconcile):
    calendar = Calendar.objects.create(name="Works")
    row = calendar.history.get()
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if f.name != "history_id"}
    type(row)(**{**values, "history_type": "~", "name": "Forged"}).save()
    found = reconcile()
    assert {one.kind for one in found} == {Kind.UNTOLD, Kind.DIFFERS}


def test_a_history_row_that_is_gone_is_found(reconcile):
    calendar = Calendar.objects.create(name="Works")
    calendar.name = "Head office"
    calendar.save()
    row = calendar.history.first()
    with lifted():
        sql("DELETE FROM directory_historicalcalendar WHERE history_id = %s", row.history_id)
        found = reconcile()
    assert {(one.kind, one.object_id) for one in found} == {
        (Kind.GROUNDLESS, str(calendar.pk)),
        (Kind.DIFFERS, str(calendar.pk)),
    }


@pytest.mark.parametrize(
    "change",
    ["history_type = '-'", "history_date = '2020-01-01 00:00:00'", "id = 999999"],
    ids=["act", "moment", "object"],
)
def test_a_history_row_that_the_trail_tells_otherwise_is_found(reconcile, change):
    calendar = Calendar.objects.create(name="Works")
    calendar.name = "Head office"
    calendar.save()
    first = calendar.history.last()
    with lifted():
        sql(f"UPDATE directory_historicalcalendar SET {change} WHERE history_id = %s", first.history_id)
        found = [one for one in reconcile() if one.kind == Kind.MISTOLD]
    assert [one.row for one in found] == [first.history_id]


def test_a_history_row_that_the_trail_lost_is_found(reconcile):
    calendar = Calendar.objects.create(name="Works")
    with lifted():
        sql("DELETE FROM audit_trail WHERE model = 'directory.calendar' AND object_id = %s", str(calendar.pk))
        found = reconcile()
    assert [(one.kind, one.row) for one in found] == [(Kind.UNTOLD, calendar.history.get().history_id)]


@pytest.mark.parametrize(
    "forged",
    [
        {"history_id": None, "actor_name": "Leila Nasser", "at": NOON - timedelta(days=200)},
        {"history_id": None, "action": "deleted"},
        {"history_id": 1, "model": "no.such"},
        {"history_id": 1, "model": "records.note"},
        {"history_id": 999_999, "action": "event"},
    ],
    ids=["change of nothing", "deletion of nothing", "unknown kind", "kind without history", "act without history"],
)
def test_a_row_of_the_trail_that_somebody_typed_is_found(reconcile, forged):
    calendar = Calendar.objects.create(name="Works")
    calendar.name = "Head office"
    calendar.save()
    told = TrailRow.objects.filter(model="directory.calendar", action="changed").latest("id")
    values = {f.attname: getattr(told, f.attname) for f in told._meta.concrete_fields if not f.primary_key}
    typed = TrailRow(**{**values, **forged})
    typed.save()
    found = [one for one in reconcile() if one.kind != Kind.GROUNDLESS]
    assert [(one.kind, one.model, one.row) for one in found] == [(Kind.BASELESS, typed.model, typed.pk)]


def test_the_trail_tells_each_history_row_once(reconcile):
    row = TrailRow.objects.filter(history_id__isnull=False).first()
    values = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.primary_key}
    with pytest.raises(IntegrityError), transaction.atomic():
        TrailRow(**values).save()


@pytest.mark.parametrize("most", [1, 2, 3])
def test_batches_leave_nothing_out(reconcile, monkeypatch, most):
    monkeypatch.setattr(running, "BATCH", most)
    calendars = [Calendar.objects.create(name=f"Calendar {number}") for number in range(7)]
    gone, changed = calendars[3], calendars[6]
    plain(Calendar).filter(pk=gone.pk)._raw_delete("default")
    plain(Calendar).filter(pk=changed.pk).update(name="Other")
    plain(Calendar).bulk_create([Calendar(name=f"New {number}") for number in range(3)])
    found = reconcile()
    assert sorted(one.kind for one in found) == ["differs", "unrecorded", "unrecorded", "unrecorded", "vanished"]


def test_everything_audited_is_looked_at():
    keys = {part.key for part in parts()}
    for model in audited_models():
        for kind in ("versions", "unrecorded", "untold"):
            assert f"{kind} {model._meta.label_lower}" in keys
    assert "groundless audit.trailrow" in keys
