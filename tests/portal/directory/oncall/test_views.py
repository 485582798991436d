"""The pages of on-call, each read and each act done once, and what they refuse."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from portal.directory import services
from portal.directory.models import Layer, OnCallShift, Schedule, Swap
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact, make_team
from tests.factories.oncall import make_schedule

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def manager(client):
    user = make_user("hannah", roles=["manager"])
    client.force_login(user)
    return make_contact("Hannah", user=user)


@pytest.fixture
def schedule(manager):
    mei = make_contact("Mei", user=make_user("mei", roles=["responder"]))
    return make_schedule(make_team("ops", members=[mei, manager]), mei, name="Primary")


def at(name, *args, **query):
    return reverse(f"directory:{name}", args=args) + (f"?{urlencode(query)}" if query else "")


def text(answer):
    return answer.content.decode()


def when(moment):
    return f"{moment:%Y-%m-%dT%H:%M}"


def test_the_page_of_all_teams_says_who_is_on_call_and_draws_it(client, schedule):
    page = text(client.get(at("on-call")))
    assert "Mei" in page
    assert 'class="week__track"' in page
    assert 'style="' not in page


def test_anybody_asks_who_was_on_call_at_a_moment(client, schedule):
    assert "Mei" in text(client.get(at("on-call", at="2026-01-01T12:00"))).split('class="kv"')[1]
    assert "Give a day and an hour." in text(client.get(at("on-call", at="yesterday")))


@pytest.mark.parametrize("day", ["", "2026-03-23", "never", "9999-99-99", "0001-01-01"])
def test_the_page_of_a_schedule_shows_any_weeks(client, schedule, day):
    page = text(client.get(at("schedule", schedule.pk, **{"from": day})))
    assert page.count('class="week"') == 4


def test_the_pages_take_no_more_queries_with_more_teams(client, schedule, django_assert_max_num_queries):
    for _ in range(5):
        make_schedule(None, make_contact(), make_contact())
    with django_assert_max_num_queries(26):
        client.get(at("on-call"))


def test_pages_are_shut_to_whoever_has_no_role(client, schedule):
    client.force_login(make_user("nobody"))
    for page in (at("on-call"), at("my-duty"), at("schedule", schedule.pk), at("take-over", schedule.pk)):
        assert client.get(page).status_code == 403


def test_a_responder_reads_but_changes_no_layer(client, schedule):
    client.force_login(make_user("amara", roles=["responder"]))
    assert client.get(at("schedule", schedule.pk)).status_code == 200
    for name, pk in (("add-layer", schedule.pk), ("retire-schedule", schedule.pk), ("end-layer", 1)):
        assert client.post(at(name, pk)).status_code == 403
    assert client.post(at("take-over", schedule.pk)).status_code == 403


def test_a_manager_makes_a_schedule_with_its_first_layer(client, manager):
    team = make_team("platform")
    given = {"team": team.pk, "name": "Primary", "time_zone": "Europe/London", "reason": "Wanted"}
    answer = client.post(at("add-schedule"), given)
    made = Schedule.objects.get()
    assert answer.url == at("add-layer", made.pk)
    layer = {
        "name": "Week", "people": "hannah\n\n Hannah ", "every": 1, "unit": "weeks", "first_day": "2026-01-05",
        "handoff": "09:00", "hours": "monday-fri 9:00-17:00", "position": 1, "reason": "Wanted",
    }  # fmt: skip
    assert client.post(at("add-layer", made.pk), layer).status_code == 302
    found = Layer.objects.get()
    assert (found.hours, found.members.count()) == ("Mon-Fri 09:00-17:00", 2)
    refused = client.post(at("change-layer", found.pk), layer | {"people": "Nemo", "hours": "x"})
    assert refused.status_code == 422
    assert "Nobody in the directory is named Nemo" in text(refused)
    assert "is not understood" in text(refused)
    assert client.post(at("change-layer", found.pk), layer | {"name": "Days"}).status_code == 302
    assert client.post(at("end-layer", made.layers.get(until=None).pk), {"reason": "Over"}).status_code == 302
    assert client.post(at("retire-schedule", made.pk), {"change_reason": "Over"}).status_code == 302


def test_the_form_of_a_layer_begins_with_what_stands(client, schedule):
    page = text(client.get(at("change-layer", schedule.layers.get().pk)))
    assert ">\nMei</textarea>" in page


def test_a_member_of_the_team_takes_over(client, schedule, manager):
    until = clock.now() + DAY
    turn = {"starts": clock.now().isoformat(), "until": until.isoformat()}
    assert when(until) in text(client.get(at("take-over", schedule.pk, **turn)))
    answer = client.post(at("take-over", schedule.pk), {"until": when(until), "reason": "Mei is ill"})
    assert answer.status_code == 302
    assert services.on_call(schedule.team, at=clock.now()) == manager
    again = client.post(at("take-over", schedule.pk), {"until": when(until - DAY / 2), "reason": "Twice"})
    assert "on call in this time already" in text(again)


def test_a_swap_is_asked_on_one_page_and_accepted_on_another(client, schedule, manager):
    mei = schedule.layers.get().members.get().contact
    client.force_login(mei.user)
    now = clock.now()
    given = {"taker": manager.pk, "starts": when(now + DAY), "until": when(now + 2 * DAY), "reason": "A wedding"}
    assert client.get(at("ask-swap", schedule.pk)).status_code == 200
    assert client.post(at("ask-swap", schedule.pk), given | {"taker": mei.pk}).status_code == 422
    assert "needs two people" in text(client.post(at("ask-swap", schedule.pk), given | {"taker": mei.pk}))
    assert client.post(at("ask-swap", schedule.pk), given | {"back_starts": when(now)}).status_code == 422
    client.post(at("ask-swap", schedule.pk), given)
    swap = Swap.objects.get()
    assert client.post(at("answer-swap", swap.pk, "accept")).status_code == 403  # only who is asked
    client.force_login(manager.user)
    assert "Accept swap" in text(client.get(at("swap", swap.pk)))
    assert "asks you" in text(client.get(at("my-duty")))
    client.post(at("answer-swap", swap.pk, "accept"))
    assert {shift.contact for shift in OnCallShift.objects.select_related("contact")} == {manager}
    assert client.post(at("answer-swap", swap.pk, "explode")).status_code == 403
    assert "by hand" in text(client.get(at("my-duty")))
    assert "Accepted" in text(client.get(at("schedule", schedule.pk)))


def test_an_auditor_is_offered_neither_a_swap_nor_to_stand_in_though_they_hold_a_turn(client, manager):
    user = make_user("audra", roles=["auditor"])
    audra = make_contact("Audra", user=user)
    schedule = make_schedule(make_team("ops", members=[audra, manager]), audra, name="Primary")
    now = clock.now()
    services.put_on_call(
        schedule.team, manager, starts=now, until=now + 2 * DAY, by=manager.user, at=now, reason="A trip"
    )
    given = {"taker": audra.pk, "starts": when(now + DAY / 2), "until": when(now + DAY), "reason": "A wedding"}
    client.post(at("ask-swap", schedule.pk), given)
    swap = Swap.objects.get()
    client.force_login(user)
    for page in (at("schedule", schedule.pk), at("my-duty")):
        shown = client.get(page)
        assert shown.status_code == 200
        assert at("ask-swap", schedule.pk) not in text(shown)
        assert at("take-over", schedule.pk) not in text(shown)
    assert client.get(at("ask-swap", schedule.pk)).status_code == 403
    assert client.get(at("take-over", schedule.pk)).status_code == 403
    assert "Accept swap" not in text(client.get(at("swap", swap.pk)))
    assert client.post(at("answer-swap", swap.pk, "accept")).status_code == 403


def test_whoever_takes_no_turn_here_is_not_shown_the_form_of_a_swap(client, schedule, manager):
    assert client.get(at("ask-swap", schedule.pk)).status_code == 403
    client.force_login(schedule.layers.get().members.get().contact.user)
    assert client.get(at("ask-swap", schedule.pk)).status_code == 200


def test_whoever_is_not_in_the_directory_is_told_so(client, schedule):
    client.force_login(make_user("ghost", roles=["responder"]))
    assert "no entry in the directory" in text(client.get(at("my-duty")))
    assert client.get(at("ask-swap", schedule.pk)).status_code == 403
