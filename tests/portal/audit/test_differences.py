from datetime import UTC, datetime

import pytest
from django.utils import timezone

from portal.audit.differences import Change, Differ
from portal.directory.models import ContactMethod, OnCallShift, System, Team
from tests.factories.directory import make_contact, make_method, make_system, make_team

pytestmark = pytest.mark.django_db


def changes(obj, masked=()):
    rows = list(obj.history.all())
    return Differ(type(obj), masked).changes(rows)


def test_every_field_is_compared_whatever_a_form_may_touch():
    method = make_method(make_contact(reachable=False), verified=False)
    method.verified_at = datetime(2026, 11, 17, 12, tzinfo=UTC)
    method.save()
    assert not ContactMethod._meta.get_field("verified_at").editable
    with timezone.override("UTC"):
        assert changes(method)[0] == [Change("Verified at", "", "Tue 17 Nov 2026, 12:00:00 UTC")]


def test_relations_are_shown_by_name_and_choices_and_truths_in_words():
    old, new = make_team(name="Ops"), make_team(name="Platform")
    system = make_system(owner=old)
    system.owner, system.active = new, False
    system.save()
    assert changes(system)[0] == [Change("Owner", "Ops", "Platform"), Change("Active", "yes", "no")]


def test_many_are_shown_by_what_came_and_what_left():
    team, ada, ben = make_team(), make_contact("Ada"), make_contact("Ben")
    team.members.set([ada])
    team.members.set([ada, ben])
    team.members.set([ben])
    assert changes(team) == [
        [Change("Members", "Ada", "")],
        [Change("Members", "", "Ben")],
        [Change("Members", "", "Ada")],
        [],
    ]


def test_what_is_gone_is_still_named_by_its_number():
    first, second = make_contact(), make_contact()
    shift = OnCallShift.objects.create(
        team=make_team(), contact=first, starts=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 1, 2, tzinfo=UTC)
    )
    shift.contact = second
    shift.save()
    first.methods.all().delete()
    number = first.pk
    first.delete()
    assert changes(shift)[0][0].old == f"number {number}, which is gone"


def test_a_masked_field_tells_that_it_changed_and_not_what_it_was():
    system = make_system(description="secret one")
    system.description = "secret two"
    system.save()
    assert changes(system, ["description"])[0] == [Change("Description", "not shown", "not shown")]
    values = Differ(System, ["description"]).values(system.history.first())
    assert "secret" not in str(values)


def test_a_long_text_is_cut():
    system = make_system(description="x" * 2000)
    system.description = ""
    system.save()
    assert len(changes(system)[0][0].old) == 300


def test_a_version_shows_every_field():
    team, ada = make_team(name="Ops"), make_contact("Ada")
    team.members.add(ada)
    found = {change.field: change.new for change in Differ(Team).values(team.history.first())}
    assert (found["Name"], found["Members"], found["Active"]) == ("Ops", "Ada", "yes")


def test_no_rows_have_no_changes():
    assert Differ(Team).changes([]) == []
