"""Configuration verified: ticked only when every required variable and file is marked present, with a date."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from portal.audit.facts import AppendOnly
from portal.runbooks.checklists import services as checklists
from portal.runbooks.checklists.enums import StepState
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.configuration import services
from portal.runbooks.configuration.knowing import known_of
from portal.runbooks.models import Checklist, ConfigurationMark, RunEvent
from tests.factories.accounts import make_user
from tests.factories.checklists import make_run, step_of
from tests.factories.directory import NOON, make_system
from tests.factories.incidents import make_incident
from tests.factories.runbooks import make_published

pytestmark = pytest.mark.django_db
VERIFIED = 3  # the step of the startup that knows
MUCH_LATER = NOON + timedelta(days=91)


@pytest.fixture
def desk():
    return make_system("desk", name="Desk")


@pytest.fixture
def amara():
    return make_user("amara", roles=["responder"], first_name="Amara", last_name="Okafor")


def startup(subject):
    return make_run(Checklist.objects.get(slug="system-startup"), subject=subject)


def tick(run, by, at=NOON):
    checklists.tick(step_of(run, VERIFIED), by=by, at=at)


def mark_all(system, by, *, present=True, at=NOON):
    (known,) = known_of([system], at=at)
    return services.mark(system, [one.item for one in known.items], present=present, by=by, at=at)


def test_it_is_refused_until_all_is_marked_and_says_what_is_missing(desk, amara):
    make_published(system=desk)
    run = startup(desk)
    with pytest.raises(Refused, match=re.escape("DESK_URL, desk.toml of Desk are not marked present yet.")):
        tick(run, amara)
    (known,) = known_of([desk], at=NOON)
    services.mark(desk, [known.items[0].item], present=True, by=amara, at=NOON)
    with pytest.raises(Refused, match=r"^desk\.toml of Desk is not marked present yet\."):
        tick(run, amara)
    mark_all(desk, amara)
    tick(run, amara)
    assert step_of(run, VERIFIED).state == StepState.DONE


def test_only_the_last_mark_counts_and_each_is_kept(desk, amara):
    make_published(system=desk)
    mark_all(desk, amara)
    mark_all(desk, amara, present=False)
    with pytest.raises(Refused, match="not marked present"):
        tick(startup(desk), amara)
    assert ConfigurationMark.objects.count() == 4
    with pytest.raises(AppendOnly):
        ConfigurationMark.objects.first().save()


def test_a_stale_mark_counts_and_says_so(desk, amara):
    make_published(system=desk)
    mark_all(desk, amara)
    run = startup(desk)
    (known,) = known_of([desk], at=MUCH_LATER)
    assert len(known.stale) == 2
    tick(run, amara, at=MUCH_LATER)
    event = RunEvent.objects.get(step=step_of(run, VERIFIED))
    assert event.text == "2 marks are stale: looked at too long ago."


def test_every_system_of_an_incident_is_asked(desk, amara):
    make_published(system=desk)
    mark_all(desk, amara)
    run = startup(make_incident(severity=4, systems=[desk, make_system("mail", name="Mail")]))
    with pytest.raises(Refused, match="Mail has no runbook in force"):
        tick(run, amara)
    checklists.skip(step_of(run, VERIFIED), by=amara, at=NOON, reason="Mail has none yet")
    assert step_of(run, VERIFIED).state == StepState.SKIPPED


def test_many_at_once_leave_it_open_and_tell_why(desk, amara):
    make_published(system=desk)
    run = startup(desk)
    outcome = checklists.tick_all(run.steps.all(), by=amara, at=NOON)
    assert len(outcome.done) == 6
    assert [step.position for step, _ in outcome.refused] == [VERIFIED]


def test_the_page_shows_what_is_asked_and_marks_what_was_chosen(client, desk, amara):
    make_published(system=desk)
    client.force_login(amara)
    page = reverse("checklists:configuration-of", args=["desk"])
    text = client.get(page).content.decode()
    assert "DESK_URL" in text
    assert "DESK_DEBUG" not in text  # it is not required
    assert "Nobody has looked yet" in text
    client.post(page, {"item": ["variable:DESK_URL", "variable:ANOTHER"]})
    assert [str(mark) for mark in ConfigurationMark.objects.all()] == ["DESK_URL: present"]
    answer = client.post(page, {"item": ["file:desk.toml"], "absent": "1"}, follow=True)
    assert "Missing, marked" in answer.content.decode()
    assert "Choose what you looked at" in client.post(page, {}, follow=True).content.decode()
    make_system("archive", name="Archive")
    listed = client.get(reverse("checklists:configuration"))
    assert "1 of 2 not marked present" in listed.content.decode()
    assert [str(one.system) for one in listed.context["known"]] == ["Desk", "Archive"]
