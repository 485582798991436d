"""The incident room: what it shows, and to whom."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from incidents import services
from incidents.enums import Status
from incidents.models import Escalation
from incidents.selectors import timeline
from portal.directory.models import Contact
from portal.lib import clock
from portal.notify.models import Message, MessageState
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact
from tests.factories.incidents import make_incident, make_policy

pytestmark = pytest.mark.django_db


def text_of(response):
    return response.content.decode()


def act(client, incident, verb, **data):
    return client.post(reverse("incidents:act", args=[incident.reference, verb]), {"once": uuid.uuid4(), **data})


def test_the_room_shows_people_clocks_escalation_and_timeline(signed_in, incident):
    page = text_of(signed_in.get(incident.get_absolute_url()))
    for words in (
        "Inbound mail is not turned into tickets", "Priya Raman", "Backup: Jonas Lindqvist", "On call, Mail",
        'href="tel:+447700900142"', "nobody named", "Why this deadline", "Response", "declared SEV-1",
    ):  # fmt: skip
        assert words in page, words


def test_a_room_that_is_not_there_is_not_found(signed_in):
    assert signed_in.get("/incidents/INC-999999/").status_code == 404
    assert signed_in.get("/incidents/INC-999999/acknowledge/").status_code == 404


def test_a_reference_may_be_written_small(signed_in, incident):
    assert signed_in.get(f"/incidents/{incident.reference.lower()}/").status_code == 200


def test_who_may_not_see_it_finds_nothing(client, incident):
    client.force_login(make_user("nobody"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(incident.get_absolute_url()).status_code == 404
    assert act(client, incident, "acknowledge").status_code == 404


def test_an_auditor_reads_and_finds_no_buttons(auditor, incident):
    page = text_of(auditor.get(incident.get_absolute_url()))
    assert "Acknowledge" not in re.sub(r"Acknowledged|Acknowledge, or", "", page)
    assert "Add note" not in page
    assert "Declare incident" not in text_of(auditor.get("/incidents/"))


def test_an_auditor_changes_nothing(auditor, incident):
    for verb in ("acknowledge", "note", "cancel"):
        assert auditor.get(reverse("incidents:act", args=[incident.reference, verb])).status_code == 403
        assert act(auditor, incident, verb, text="x", reason="x").status_code == 403
    assert auditor.get("/incidents/declare/").status_code == 403
    incident.refresh_from_db()
    assert incident.status == Status.DECLARED


def test_live_parts_come_without_the_shell_and_without_the_composer(signed_in, incident):
    parts = text_of(signed_in.get(f"{incident.get_absolute_url()}live/"))
    assert parts.count('hx-swap-oob="true"') == 8
    assert "<html" not in parts
    assert "<textarea" not in parts


def test_an_exhausted_escalation_is_shown_loudly(signed_in, incident):
    escalation = Escalation.objects.get(incident=incident)
    escalation.state = "exhausted"
    escalation.ended_at = clock.now()
    escalation.save()
    assert "The escalation is exhausted." in text_of(signed_in.get(incident.get_absolute_url()))


def test_the_room_says_that_edits_do_not_bend_a_running_escalation(signed_in, mail, amara, at):
    make_policy("Mail, working day", steps=[amara], systems=[mail])
    incident = make_incident(systems=[mail], at=at)
    page = text_of(signed_in.get(incident.get_absolute_url()))
    assert "Mail, working day, version" in page
    assert "Later edits of the policy do not change this escalation." in page


def test_stuck_messages_are_shown_with_why(signed_in, incident, amara, at):
    services.page_person(incident, contact=amara, by="test", at=at)
    message = Message.objects.exclude(lane="inbox").latest("pk")
    message.state, message.error, message.attempts = MessageState.FAILED, "The server refused the connection.", 2
    message.save()
    page = text_of(signed_in.get(incident.get_absolute_url()))
    assert "1 message about this incident is stuck." in page
    assert "after 2 tries. The server refused the connection." in page


def test_whoever_was_paged_by_hand_stands_among_the_people(signed_in, incident, at):
    services.page_person(incident, contact=make_contact("Mei Tanaka"), by="test", at=at)
    page = text_of(signed_in.get(incident.get_absolute_url()))
    assert "Paged for this incident" in page
    assert "Page on its way" in page


def test_numbers_are_shown_to_whoever_may_see_contact_methods(client, incident):
    reader = make_user("reader")
    reader.user_permissions.set(Permission.objects.filter(codename="view_incident"))
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")

    page = text_of(client.get(incident.get_absolute_url()))

    assert "Priya Raman" in page
    assert "tel:" not in page


def test_a_correction_links_to_what_it_corrects(signed_in, incident, amara, at):
    note = services.add_note(incident, text="Broker 1 is down", by=amara, at=at)
    correction = services.add_note(incident, text="Broker 2 is down", by=amara, at=at, corrects=note)
    page = text_of(signed_in.get(incident.get_absolute_url()))
    assert f'href="#entry-{note.pk}"' in page
    assert f'href="#entry-{correction.pk}">Corrected' in page


def test_an_entry_written_later_says_when(signed_in, incident, amara, at):
    services.add_note(incident, text="It began", by=amara, at=at, event_at=at - timedelta(minutes=30))
    assert "Written down" in text_of(signed_in.get(incident.get_absolute_url()))


def test_the_timeline_shows_notes_alone_when_asked(signed_in, incident, amara, at):
    services.add_note(incident, text="Broker 1 is down", by=amara, at=at)
    page = signed_in.get(f"{incident.get_absolute_url()}?show=notes")
    assert [entry.note.kind for entry in page.context["room"].timeline.entries] == ["note"]


def test_a_long_timeline_is_cut_until_asked_for(signed_in, incident, amara, at):
    for number in range(45):
        services.add_note(incident, text=f"Note {number}", by=amara, at=at)
    room = signed_in.get(incident.get_absolute_url()).context["room"]
    assert (len(room.timeline.entries), room.timeline.more) == (40, True)
    earlier = signed_in.get(f"{incident.get_absolute_url()}{room.timeline.earlier}").context["room"].timeline
    assert (len(earlier.entries), earlier.more, earlier.later) == (47, False, "")


def test_earlier_entries_come_page_by_page(signed_in, incident, amara, at, monkeypatch):
    monkeypatch.setattr(timeline, "ON_A_PAGE", 10)
    for number in range(25):
        services.add_note(incident, text=f"Note {number}", by=amara, at=at)
    address, seen = f"{incident.get_absolute_url()}?show=notes&page=1", []
    for _ in range(3):
        found = signed_in.get(address).context["room"].timeline
        seen += [entry.note.detail for entry in found.entries]
        address = f"{incident.get_absolute_url()}{found.earlier}"
    assert seen == [f"Note {number}" for number in reversed(range(25))]
    assert (found.more, found.later) == (False, "?show=notes&page=2#tl")


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999", "12"])
def test_a_page_that_is_not_there_is_no_error(signed_in, incident, page):
    assert signed_in.get(f"{incident.get_absolute_url()}?page={page}").status_code == 200


def test_the_room_asks_as_many_questions_when_much_has_happened(
    signed_in, incident, mail, amara, at, django_assert_num_queries, django_assert_max_num_queries
):
    services.acknowledge(incident, by=amara, at=at)
    services.add_note(incident, text="First", by=amara, at=at)
    services.page_person(incident, contact=make_contact(), by="test", at=at)
    services.record_update(incident, audience="customers", text="Known", by=amara, at=at)
    signed_in.get(incident.get_absolute_url())  # what a process asks once is asked
    with django_assert_max_num_queries(50) as few:
        signed_in.get(incident.get_absolute_url())
    for number in range(10):
        services.add_responder(incident, contact=make_contact(), by=amara, at=at)
        services.page_person(incident, contact=make_contact(), by="test", at=at + timedelta(seconds=number))
        services.record_update(incident, audience="customers", text="Still", by=amara, at=at)
    with django_assert_num_queries(len(few)):
        signed_in.get(incident.get_absolute_url())


def test_whoever_has_left_is_named_as_such_and_not_called(signed_in, incident):
    for contact in Contact.objects.filter(name__in=["Priya Raman", "Jonas Lindqvist"]):
        contact.active = False
        contact.save()
    page = signed_in.get(incident.get_absolute_url()).content.decode()
    assert "Has left; name somebody else" in page
    assert 'Backup: Jonas Lindqvist, <span class="is-red">who has left</span>' in page
    assert "+44 7700 900142" not in page


def test_a_page_that_quiet_hours_hold_is_not_on_its_way(signed_in, incident, at):
    mei = make_contact(
        "Mei Tanaka", quiet_from=at.time(), quiet_until=(at + timedelta(hours=5)).time(), time_zone="UTC"
    )
    services.page_person(incident, contact=mei, by="test", at=at)
    held = Message.objects.exclude(lane="inbox").filter(contact=mei)
    held.update(waits_while_quiet=True, due_at=at + timedelta(hours=5))
    page = text_of(signed_in.get(incident.get_absolute_url()))
    assert "Quiet hours: the page waits until" in page
    assert "Page on its way" not in page


def test_whoever_declared_it_has_not_answered_by_that(signed_in, mail, amara, at):
    page = text_of(signed_in.get(make_incident(systems=[mail], by=amara, at=at).get_absolute_url()))
    assert "Declared it" in page
    assert "Answered" not in page
