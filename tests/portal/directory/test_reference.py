"""The reference rows: there after a migration, and never overwritten."""

import pytest

from portal.directory import reference
from portal.directory.enums import Clock, LimitUnit
from portal.directory.models import Calendar, Severity, SeverityClock, Team

pytestmark = pytest.mark.django_db


def limit(level, clock):
    return SeverityClock.objects.get(severity__level=level, clock=clock)


def test_a_new_portal_has_its_teams_levels_and_calendar():
    assert set(Team.objects.values_list("slug", flat=True)) == {"oncall", "security", "platform", "support", "ops"}
    assert list(Severity.objects.values_list("code", "is_major")) == [
        ("SEV-1", True), ("SEV-2", True), ("SEV-3", False), ("SEV-4", False)
    ]  # fmt: skip
    assert Calendar.objects.get().name == "Company"


def test_response_times_are_those_of_the_severity_table():
    assert [limit(level, Clock.RESPONSE).limit for level in (1, 2, 3)] == [15, 60, 240]
    assert (limit(4, Clock.RESPONSE).limit, limit(4, Clock.RESPONSE).unit) == (1, LimitUnit.BUSINESS_DAYS)
    assert list(Severity.objects.values_list("target", flat=True)) == ["15 minutes", "1 hour", "4 hours", "1 day"]


def test_updates_repeat_after_the_first_message():
    assert (limit(1, Clock.STAKEHOLDERS).limit, limit(1, Clock.STAKEHOLDERS).repeat_minutes) == (15, 30)
    assert (limit(2, Clock.CUSTOMERS).limit, limit(2, Clock.CUSTOMERS).repeat_minutes) == (30, 60)
    assert limit(1, Clock.EXECUTIVES).repeat_minutes is None


def test_every_reference_row_would_pass_its_own_form():
    for row in (*Team.objects.all(), *Severity.objects.all(), *SeverityClock.objects.all(), *Calendar.objects.all()):
        row.full_clean()


def test_loading_again_changes_nothing_and_keeps_what_people_changed():
    severity, team, calendar = Severity.objects.get(level=1), Team.objects.get(slug="ops"), Calendar.objects.get()
    severity.name, team.name, calendar.name = "Catastrophic", "Night shift", "Head office"
    for row in (severity, team, calendar):
        row.save()
    limit(1, Clock.EXECUTIVES).delete()
    before = [model.history.count() for model in (Severity, SeverityClock, Team, Calendar)]
    reference.load()
    assert before == [model.history.count() for model in (Severity, SeverityClock, Team, Calendar)]
    severity.refresh_from_db()
    assert severity.name == "Catastrophic"
    assert Calendar.objects.get().name == "Head office"


def test_what_is_missing_is_created():
    team = Team.objects.get(slug="ops")
    team.slug = "night-shift"
    team.save()
    severity = Severity.objects.get(level=4)
    severity.level, severity.code = 7, "SEV-7"
    severity.save()
    reference.load()
    assert Team.objects.filter(slug="ops").exists()
    assert limit(4, Clock.RESPONSE).limit == 1


def test_a_level_that_was_moved_is_not_created_again():
    severity = Severity.objects.get(level=4)
    severity.level = 7
    severity.save()
    reference.load()
    assert Severity.objects.filter(code="SEV-4").get().level == 7


def test_history_names_the_loader():
    assert Team.objects.get(slug="ops").history.get().actor_name == "system: reference data"
