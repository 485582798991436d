"""What an auditor reads: what running engagements open, and nothing else, wherever rows are listed."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Permission
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse

from incidents.models import EscalationPolicy, Incident, IntakeMapping, Responder
from portal.accounts.models import SignIn, User
from portal.assurance.backends import EngagementBackend
from portal.assurance.enums import Register
from portal.assurance.models import Engagement, Review
from portal.assurance.registers import OPENS, REACH, models_of, permission_of
from portal.audit.admin import narrowed
from portal.audit.models import TrailRow
from portal.audit.trail import record_reading
from portal.deadlines.models import Deadline
from portal.directory.models import OnCallShift, System, Team
from portal.lib.visibility import VisibleQuerySet, hidden_keys, in_scope, reads_all
from portal.notify import services as notify
from portal.notify.compose import About, Draft
from portal.notify.models import Message
from portal.records.models import Note
from tests.factories.accounts import make_superuser, make_user
from tests.factories.directory import NOON, make_contact, make_shift, make_system, make_team
from tests.factories.engagements import grant_record, make_engagement
from tests.factories.incidents import make_incident, make_mapping, make_policy

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def auditor(**terms):
    """An auditor with one engagement of these terms."""
    user = make_user(roles=["auditor"], engaged=False)
    make_engagement(user, **terms)
    return User.objects.get(pk=user.pk)


def seen(rows, user):
    return set(rows.objects.visible_to(user))


def test_the_role_alone_opens_nothing():
    make_incident()
    user = make_user(roles=["auditor"], engaged=False)
    assert user.get_all_permissions() == set()
    assert seen(Incident, user) == set()


def test_an_engagement_gives_every_view_permission_of_its_kinds_and_no_other():
    user = auditor(registers=["incidents"])
    given = user.get_all_permissions()
    assert {"incidents.view_incident", "incidents.view_escalationpolicy", "records.view_note"} <= given
    assert all(".view_" in permission for permission in given)
    assert not any(permission.startswith(("directory.", "audit.", "accounts.")) for permission in given)
    assert user.has_module_perms("incidents")
    assert not user.has_module_perms("directory")


def test_all_kinds_together_open_what_every_role_sees():
    responder = make_user(roles=["responder"])
    views = {permission for permission in responder.get_all_permissions() if ".view_" in permission}
    assert views - auditor().get_all_permissions() <= {"assurance.view_export"}


@pytest.mark.parametrize(
    ("starts", "ends", "open_now"),
    [(-DAY, DAY, True), (DAY, 2 * DAY, False), (-2 * DAY, -DAY, False)],
    ids=["running", "planned", "over"],
)
def test_an_engagement_opens_from_its_start_to_its_end(monkeypatch, starts, ends, open_now):
    monkeypatch.setattr("portal.lib.clock.now", lambda: NOON)
    make_incident()
    user = auditor(starts=NOON + starts, ends=NOON + ends)
    assert user.has_perm("incidents.view_incident") is open_now
    assert bool(seen(Incident, user)) is open_now


def test_the_last_moment_is_no_longer_open(monkeypatch):
    monkeypatch.setattr("portal.lib.clock.now", lambda: NOON)
    assert not auditor(ends=NOON).has_perm("incidents.view_incident")
    assert auditor(starts=NOON).has_perm("incidents.view_incident")


def test_an_engagement_that_was_ended_opens_nothing():
    user = auditor(revoked_at=NOON, revoked_by="Kwame Mensah", revoke_reason="It is done")
    assert user.get_all_permissions() == set()


def test_without_the_role_an_engagement_opens_nothing():
    user = auditor()
    user.groups.clear()
    assert User.objects.get(pk=user.pk).get_all_permissions() == set()


def test_a_closed_account_reads_nothing():
    user = auditor()
    user.is_active = False
    user.save()
    assert User.objects.get(pk=user.pk).get_all_permissions() == set()
    assert seen(Incident, User.objects.get(pk=user.pk)) == set()


def test_no_engagement_gives_a_permission_on_one_object_or_to_nobody():
    user = auditor()
    assert not user.has_perm("incidents.view_incident", object())
    assert EngagementBackend().authenticate(None, username="audra", password="x") is None
    assert EngagementBackend().get_all_permissions(AnonymousUser()) == set()


def test_the_engagements_are_read_once_for_a_request(django_assert_num_queries):
    pk = auditor().pk
    user = User.objects.get(pk=pk)
    with django_assert_num_queries(6):  # two of permissions of one's own, roles, engagements, what is hidden, incidents
        assert user.has_perm("incidents.view_incident")
        assert user.has_perm("directory.view_system")
        assert not user.has_perm("incidents.change_incident")
        list(Incident.objects.visible_to(user))


def test_somebody_without_the_role_is_asked_for_no_engagement(django_assert_num_queries):
    user = User.objects.get(pk=make_user(roles=["responder"]).pk)
    user.has_perm("incidents.view_incident")
    with django_assert_num_queries(1):  # the roles
        assert not user.has_perm("accounts.change_user")
        assert user.reading_scope is None


def test_only_incidents_of_the_systems_are_seen():
    mail, desk = make_system("mail"), make_system("desk")
    inside = make_incident(systems=[mail, desk])
    make_incident(systems=[desk])
    make_incident()
    user = auditor(systems=[mail])
    assert list(Incident.objects.visible_to(user)) == [inside]
    assert Incident.objects.visible_to(user).count() == 1
    assert seen(System, user) == {mail}


def test_only_incidents_declared_in_the_period_are_seen():
    make_incident(at=NOON - DAY)
    inside = make_incident(at=NOON)
    make_incident(at=NOON + DAY)
    user = auditor(records_from=NOON, records_until=NOON + DAY)
    assert seen(Incident, user) == {inside}


def test_what_belongs_to_an_incident_is_narrowed_with_it():
    mail, mei = make_system("mail"), make_contact("Mei")
    inside, outside = make_incident(systems=[mail]), make_incident()
    for incident in (inside, outside):
        Responder.objects.create(incident=incident, contact=mei, added_at=NOON, added_by="test")
    user = auditor(systems=[mail])
    assert {row.incident for row in seen(Responder, user)} == {inside}
    kind = ContentType.objects.get_for_model(Incident)
    assert {note.subject_id for note in seen(Note, user) if note.subject_type == kind} == {inside.pk}


def test_deadlines_and_messages_follow_what_they_are_about():
    mail = make_system("mail")
    inside, outside = make_incident(severity=1, systems=[mail]), make_incident(severity=1)
    kind = ContentType.objects.get_for_model(Incident).pk
    for number, incident in enumerate((inside, outside)):
        about = About(kind, incident.pk, incident.reference)
        text = {"title": "x", "body": "x", "kind": "test", "lane": "inbox"}
        notify.queue([Draft(key=f"k{number}", about=about, **text)], at=NOON)
    notify.queue([Draft(key="k9", kind="test", lane="inbox", title="x", body="x")], at=NOON)
    user = auditor(systems=[mail])
    assert {row.subject_id for row in narrowed(Deadline.objects.all(), user)} == {inside.pk}
    assert {row.about_id for row in seen(Message, user).copy() if row.kind == "test"} == {inside.pk}
    everything = auditor(records_from=NOON - DAY)
    assert {row.about_id for row in seen(Message, everything) if row.kind == "test"} == {inside.pk, outside.pk, None}


def test_without_the_kind_of_record_its_timeline_is_not_read():
    make_incident()
    assert seen(Note, auditor(registers=["changes"])) == set()
    assert seen(Note, auditor(registers=["incidents"])) != set()


def test_a_rule_for_all_systems_concerns_each_of_them():
    mail, desk = make_system("mail"), make_system("desk")
    general, theirs, other = make_policy(), make_policy(systems=[mail]), make_policy(systems=[desk])
    mapping = make_mapping("team", "x", severity=1)
    user = auditor(systems=[mail])
    assert {general, theirs} <= seen(EscalationPolicy, user)
    assert other not in seen(EscalationPolicy, user)
    assert mapping in seen(IntakeMapping, user)


def test_a_shift_belongs_to_every_time_that_it_touches():
    team, mei = make_team(), make_contact("Mei")
    before = make_shift(team, mei, starts=NOON - 4 * DAY, until=NOON - 2 * DAY)
    across = make_shift(team, mei, starts=NOON - 2 * DAY, until=NOON + DAY)
    after = make_shift(team, mei, starts=NOON + 2 * DAY, until=NOON + 3 * DAY)
    user = auditor(records_from=NOON, records_until=NOON + 2 * DAY)
    assert seen(OnCallShift, user) & {before, across, after} == {across}


def test_the_trail_holds_the_opened_kinds_of_the_systems_and_the_period():
    mail = make_system("mail")
    inside, outside = make_incident(systems=[mail]), make_incident()
    of_incidents = auditor(registers=["trail", "incidents"])
    told = {row.model for row in seen(TrailRow, of_incidents)}
    assert "incidents.incident" in told
    assert not any(model.startswith(("directory.", "accounts.")) or model == "assurance.engagement" for model in told)
    of_mail = auditor(systems=[mail])
    roots = {row.root_id for row in seen(TrailRow, of_mail) if row.root_model == "incidents.incident"}
    assert roots == {str(inside.pk)}
    assert str(outside.pk) not in roots
    assert seen(TrailRow, auditor(records_until=NOON - 1000 * DAY)) == set()
    assert TrailRow.objects.visible_to(auditor()).count() == TrailRow.objects.count()


def test_the_trail_is_read_only_where_it_is_opened():
    assert seen(TrailRow, auditor(registers=["incidents"])) == set()


def test_engagements_add_up():
    mail, desk = make_system("mail"), make_system("desk")
    first, second = make_incident(systems=[mail]), make_incident(systems=[desk], at=NOON)
    third = make_incident(systems=[desk], at=NOON - 2 * DAY)
    user = auditor(systems=[mail])
    make_engagement(user, systems=[desk], records_from=NOON - DAY)
    user = User.objects.get(pk=user.pk)
    assert seen(Incident, user) == {first, second}
    assert third not in seen(Incident, user)


def test_what_ones_own_role_opens_is_not_narrowed():
    mail = make_system("mail")
    make_incident(systems=[mail])
    make_incident()
    user = make_user(roles=["responder", "auditor"], engaged=False)
    make_engagement(user, systems=[mail])
    user = User.objects.get(pk=user.pk)
    assert Incident.objects.visible_to(user).count() == 2
    assert in_scope(SignIn.objects.all(), user).query.where or reads_all(user, SignIn)


def test_superusers_and_others_have_no_scope():
    assert make_superuser().reading_scope is None
    assert make_user(roles=["manager"]).reading_scope is None
    assert reads_all(make_superuser(), Incident)


def test_an_auditor_sees_their_own_engagements_alone():
    user, other = auditor(registers=["incidents"]), auditor()
    assert seen(Engagement, user) == set(user.engagements.all())
    assert seen(Engagement, other) == set(other.engagements.all())


def test_a_restricted_record_is_read_only_where_it_was_granted(monkeypatch):
    hidden, granted = make_incident(), make_incident()
    plain = make_incident()
    keys = [hidden.pk, granted.pk]
    monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda cls, user: keys), raising=False)
    for incident in (hidden, granted):
        record_reading(incident)
    user = auditor()
    grant_record(user.engagements.get(), granted)
    withdrawn = {"withdrawn_at": NOON, "withdrawn_by": "test"}
    grant_record(user.engagements.get(), hidden, **withdrawn)
    user = User.objects.get(pk=user.pk)
    assert hidden_keys(Incident, user) == [str(hidden.pk)]
    assert seen(Incident, user) == {granted, plain}
    roots = set(TrailRow.objects.visible_to(user).filter(root_model="incidents.incident").values_list("root_id"))
    assert roots == {(str(granted.pk),), (str(plain.pk),)}


def test_a_deleted_record_is_not_read_past_the_limits_of_an_engagement(client):
    mail = make_system("mail")
    responder = Responder.objects.create(
        incident=make_incident(), contact=make_contact("Mei"), added_at=NOON, added_by="test"
    )
    pk = responder.pk
    responder.delete()
    page = reverse("admin:incidents_responder_history", args=[pk])
    backend = "django.contrib.auth.backends.ModelBackend"
    client.force_login(auditor(), backend=backend)
    assert client.get(page).status_code == 200
    client.force_login(auditor(systems=[mail]), backend=backend)
    assert client.get(page).status_code == 404


# What no table may be forgotten in.

SHOWN = [model for model in apps.get_models() if "view" in model._meta.default_permissions]
OURS = [model for model in SHOWN if model.__module__.split(".")[0] in ("portal", "incidents", "changes", "maintenance")]
# Tables that no engagement opens, and why.
CLOSED = {
    "assurance.Export": "one's own exports need no permission, and those of others are told by the trail",
}


def opened():
    return {label for register in Register for label in models_of(register)}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_each_table_is_opened_by_a_kind_of_record_or_says_why_not(model):
    assert (model._meta.label in opened()) != (model._meta.label in CLOSED)


@pytest.mark.parametrize("label", sorted(opened() - {"audit.TrailRow"}))
def test_each_opened_table_says_how_far_an_engagement_reaches_into_it(label):
    model = apps.get_model(label)
    assert label in REACH, f"{label}: say in portal.assurance.registers how its rows belong to systems and to a time"
    user = auditor(systems=[make_system("mail")], records_from=NOON, records_until=NOON + DAY)
    list(in_scope(model._default_manager.all(), user)[:1])  # each lookup exists


def test_nothing_is_left_over_in_the_tables():
    labels = {model._meta.label for model in apps.get_models()}
    assert set(REACH) <= labels
    assert set(CLOSED) <= labels
    assert set(OPENS) == set(Register)


def test_a_table_that_nobody_thought_of_is_closed_to_limited_engagements(monkeypatch):
    make_team("ops")
    kept = {label: reach for label, reach in REACH.items() if label != "directory.Team"}
    monkeypatch.setattr("portal.assurance.registers.REACH", kept)
    assert seen(Team, auditor(systems=[make_system("mail")])) == set()
    assert seen(Team, auditor(records_from=NOON)) == set()
    assert seen(Team, auditor()) != set()


def test_permissions_are_those_that_exist():
    known = {f"{p.content_type.app_label}.{p.codename}" for p in Permission.objects.select_related("content_type")}
    assert {permission_of(label) for label in opened()} <= known


def test_reviews_are_narrowed_by_the_day_they_were_opened():
    assert issubclass(type(Review.objects.none()), VisibleQuerySet)
    assert REACH["assurance.Review"].moment == "opened_at"
