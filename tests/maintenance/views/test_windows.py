"""The window board: planning, opening by hand and moving windows, for those who may."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from maintenance.enums import WindowState
from maintenance.models import Window, WindowSeries
from portal.records import services as records
from tests.factories.accounts import make_user
from tests.factories.changes import make_scheduled
from tests.factories.directory import NOON, make_system
from tests.factories.windows import make_open, make_series, make_window

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock_stands(monkeypatch):
    monkeypatch.setattr("portal.lib.clock.now", lambda: NOON)
    monkeypatch.setattr("portal.lib.clock.database_now", lambda: NOON)


@pytest.fixture
def desk():
    return make_system("desk", name="Ticket Desk")


@pytest.fixture
def joel(client):
    user = make_user(roles=["responder"])
    client.force_login(user)
    return user


def form_of(client, url, **values):
    """Return the answer to the form at an address, filled in with these values."""
    page = client.get(url)
    return client.post(url, {"once": page.context["form"]["once"].value(), **values})


def wall(moment):
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


def test_the_board_shows_what_goes_on_comes_next_and_overruns(client, joel, desk):
    now = NOON
    late = make_open(desk, at=now - 3 * HOUR)
    running, ahead = make_open(desk, at=now), make_window(desk, at=now)
    page = client.get(reverse("maintenance:windows"))
    found = page.context["board"]
    assert [line.window for line in found.overrun] == [late]
    assert [line.window for line in found.now] == [running]
    assert [line.window for line in found.ahead] == [ahead]
    assert b"Overrun" in page.content
    only = client.get(reverse("maintenance:windows"), {"system": make_system("mail").slug})
    assert not only.context["board"].now


def test_a_window_is_planned_once_however_often_the_form_is_sent(client, joel, desk):
    url = reverse("maintenance:new-window", args=["plan"])
    starts = NOON + 2 * HOUR
    values = {"title": "Patch it", "systems": [desk.pk], "starts_at": wall(starts), "ends_at": wall(starts + HOUR)}
    once = client.get(url).context["form"]["once"].value()
    for _ in range(2):
        answer = client.post(url, {"once": once, **values})
        assert answer.status_code == 302
    window = Window.objects.get()
    assert answer.url == window.get_absolute_url()
    assert window.state == WindowState.SCHEDULED


def test_what_cannot_be_is_said_at_the_form(client, joel, desk):
    starts = NOON - 2 * HOUR
    answer = form_of(
        client, reverse("maintenance:new-window", args=["plan"]), title="Patch it", systems=[desk.pk],
        starts_at=wall(starts), ends_at=wall(starts + HOUR),
    )  # fmt: skip
    assert answer.status_code == 422
    assert "Its start has passed" in answer.content.decode()
    assert not Window.objects.exists()


def test_a_window_is_opened_by_hand_verified_and_completed(client, joel, desk):
    answer = form_of(
        client, reverse("maintenance:new-window", args=["open"]), title="Mend it", systems=[desk.pk], minutes=30,
        reason="The disk is full",
    )  # fmt: skip
    window = Window.objects.get()
    assert answer.url == window.get_absolute_url()
    for verb, state in (("verify", WindowState.VERIFYING), ("complete", WindowState.COMPLETED)):
        form_of(client, f"{window.get_absolute_url()}{verb}/")
        window.refresh_from_db()
        assert window.state == state
    assert window.completed_by == str(joel.get_full_name() or joel.username)


def test_a_series_is_planned_and_ended(client, joel, desk):
    answer = form_of(
        client, reverse("maintenance:new-window", args=["series"]), title="Patch Sunday", systems=[desk.pk],
        frequency="weekly", every=1, anchor=str(NOON.date() + timedelta(days=1)), nth=1, weekday=6,
        start_time="02:00", minutes=120, time_zone="Europe/London", closes_itself="on",
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["form"].errors
    first = WindowSeries.objects.get().windows.order_by("starts_at")[0]
    page = client.get(first.get_absolute_url())
    assert "Every week" in page.content.decode()
    form_of(client, reverse("maintenance:end-series", args=[first.reference]), reason="We patch live")
    assert WindowSeries.objects.get().ended_by


def test_the_slot_of_a_scheduled_change_fills_the_form_in_and_is_linked(client, joel):
    change = make_scheduled()
    url = reverse("maintenance:new-window", args=["plan"]) + f"?about={change.reference}"
    page = client.get(url)
    form = page.context["form"]
    assert form["starts_at"].value() == timezone.localtime(change.planned_start).replace(tzinfo=None)
    assert set(form["systems"].value()) == {system.pk for system in change.systems.all()}
    answer = client.post(url, {
        "once": form["once"].value(), "title": change.title, "systems": [s.pk for s in change.systems.all()],
        "starts_at": wall(change.planned_start), "ends_at": wall(change.planned_end),
    })  # fmt: skip
    assert answer.status_code == 302, answer.context["form"].errors
    window = Window.objects.get()
    assert window.change == change.reference
    assert [link.words for link in records.links_of(change, user=joel)] == ["Covered by"]


def test_whoever_may_not_plan_is_refused(client, desk):
    client.force_login(make_user())
    assert client.get(reverse("maintenance:windows")).status_code == 403
    assert client.get(reverse("maintenance:new-window", args=["plan"])).status_code == 403


def test_a_verb_that_does_not_fit_is_refused_in_a_sentence(client, joel, desk):
    window = make_window(desk, starts_in=600)
    answer = form_of(client, f"{window.get_absolute_url()}begin/")
    assert answer.status_code == 422
    assert "within the hour before" in answer.content.decode()


def test_a_recurring_window_names_its_next_ones(client, joel, desk):
    series = make_series(desk, anchor=NOON.date())
    first = series.windows.order_by("starts_at")[0]
    page = client.get(first.get_absolute_url())
    assert len(page.context["siblings"]) == series.windows.count() - 1


def test_a_window_is_begun_by_hand_only_within_the_hour_before(client, joel, desk):
    near, far = make_window(desk, starts_in=60), make_window(desk, starts_in=61)
    slugs = [
        [offer.act.slug for offer in client.get(window.get_absolute_url()).context["offers"]] for window in (near, far)
    ]
    assert slugs == [["begin", "move", "cancel"], ["move", "cancel"]]
