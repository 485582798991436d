"""A page of the trail: what somebody did in one go is one line, on every page, in both directions."""

import uuid
from datetime import timedelta
from itertools import chain
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils import timezone

from portal.assurance.selectors import trail_gestures
from portal.assurance.selectors.trail_filters import Filters
from portal.assurance.selectors.trail_finding import Found
from portal.assurance.selectors.trail_gestures import PAGE, page_of
from portal.audit.enums import Action
from portal.audit.models import TrailRow
from tests.factories.directory import NOON
from tests.factories.trail import make_row, make_rows

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=60)


class Reader:
    pk = 7


def page(address="", rows=None):
    """The page of an address, of the rows of this test."""
    filters = Filters.of(QueryDict(address.partition("?")[2]))
    seen = TrailRow.objects.filter(model="incidents.incident") if rows is None else rows
    return page_of(seen, filters, reader=Reader, now=LATER)


def names(found):
    return [gesture.main.name for gesture in found.gestures]


def through(address, side):
    """Return the names on all pages from an address on, towards "older" or "newer"."""
    found = []
    while address is not None:
        here = page(address)
        found.append(names(here))
        address = getattr(here, side) or None
    return found


def test_rows_of_one_gesture_are_one_line_even_when_others_wrote_between():
    one, other = uuid.uuid4(), uuid.uuid4()
    for gesture in (one, other, one, other, one):
        make_row(gesture=gesture)
    found = page().gestures
    assert [len(gesture.rows) for gesture in found] == [3, 2]
    assert [gesture.count for gesture in found] == ["3 rows", "2 rows"]


def test_rows_without_a_gesture_stand_alone():
    make_row(gesture=None)
    make_row(gesture=None)
    assert [gesture.count for gesture in page().gestures] == ["1 row", "1 row"]


def test_a_page_has_its_days_in_the_zone_of_the_reader():
    make_row(at=NOON.replace(hour=14))
    make_row(at=NOON.replace(hour=16))
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert [(f"{day.date:%d}", len(day.gestures)) for day in page().days] == [("18", 1), ("17", 1)]
    with timezone.override(ZoneInfo("UTC")):
        assert [len(day.gestures) for day in page().days] == [2]


def test_all_pages_together_show_every_gesture_once_either_way():
    make_rows(3 * PAGE - 5)
    older = through("/audit/", "older")
    newer = through("/audit/?last=1", "newer")
    assert [len(one) for one in older] == [PAGE, PAGE, PAGE - 5]
    assert [len(one) for one in newer] == [PAGE, PAGE, PAGE - 5]
    assert [*chain(*older)] == [*chain(*newer[::-1])]
    assert len(set(chain(*older))) == 3 * PAGE - 5


def test_a_page_leads_back_to_the_one_before():
    make_rows(2 * PAGE)
    first = page()
    second = page(first.older)
    assert names(page(second.newer)) == names(first)
    assert (first.newer, second.older) == ("", "")
    assert names(page(first.oldest)) == names(second)
    assert names(page(second.newest)) == names(first)


def test_filters_stay_on_the_way():
    make_rows(2 * PAGE)
    assert "origin=web" in page("/audit/?origin=web").older


def test_a_gesture_of_thousands_of_rows_is_one_line_and_hides_nothing():
    make_row(name="before", at=NOON - timedelta(hours=1))
    make_rows(5000, apart=timedelta(milliseconds=1), gesture=uuid.uuid4(), name="import")
    make_row(name="after", at=NOON + timedelta(hours=1))
    found = page()
    assert names(found) == ["after", "import", "before"]
    assert found.gestures[1].count == "50+ rows"
    assert (found.older, found.looked) == ("", None)
    assert names(page("/audit/?last=1")) == ["after", "import", "before"]


def test_what_happened_beside_a_huge_gesture_is_found_on_the_pages_after_it():
    make_rows(400, apart=timedelta(seconds=2), gesture=uuid.uuid4(), name="import")
    make_rows(40, first=NOON + timedelta(seconds=1), apart=timedelta(seconds=20), name="beside")
    pages = through("/audit/", "older")
    assert sum(one.count("beside") for one in pages) == 40
    assert all(one.count("import") <= 1 for one in pages)


def test_a_full_page_asks_once(django_assert_num_queries):
    make_rows(3 * PAGE)
    with django_assert_num_queries(1):
        page()


def refuse(number, address="192.0.2.9", tried="hvoss", **fields):
    for _ in range(number):
        make_row(
            action=Action.SIGN_IN_REFUSED, actor_id=None, actor_name="unknown", address=address, name=tried, **fields
        )


def said(gesture):
    return "".join(part.text for part in gesture.words)


def test_refused_sign_ins_that_follow_one_another_from_one_address_are_one_line():
    refuse(3)
    refuse(1, address="192.0.2.10")
    refuse(2)
    found = page().gestures
    assert [said(gesture) for gesture in found] == [
        "failed to sign in as hvoss, 2 times",
        "failed to sign in as hvoss",
        "failed to sign in as hvoss, 3 times",
    ]
    assert found[0].url.startswith("/audit/rows/?id=")


def test_what_was_done_between_two_refusals_parts_them():
    refuse(1)
    make_row()
    refuse(1)
    assert len(page().gestures) == 3


def test_guessing_for_hours_does_not_push_everything_else_off_the_page():
    make_row(name="the act", at=NOON - timedelta(days=1))
    refuse(80)
    found = page().gestures
    assert said(found[0]) == "failed to sign in as hvoss, more than 50 times"
    assert names(page())[-1] == "the act"


def test_a_gesture_says_how_it_weighs_and_where_it_came_from():
    make_row(privileged=True, reason="Agreed in the review")
    make_row(action=Action.READ, event="Opened evidence EV-000088")
    reading, changing = page().gestures
    assert (reading.reading, reading.privileged, reading.refused) == (True, False, False)
    assert (changing.privileged, changing.reason, changing.origin_icon) == (True, "Agreed in the review", "user-round")
    assert changing.you


def test_an_empty_trail_has_an_empty_page():
    found = page(rows=TrailRow.objects.none())
    assert (found.days, found.older, found.newer, found.looked) == ([], "", "", None)


def test_where_time_runs_out_the_page_says_where_to_go_on(monkeypatch):
    make_row()
    monkeypatch.setattr(trail_gestures, "find", lambda *args, **more: Found([], NOON))
    found = page()
    assert found.looked == NOON
    assert "before=" in found.further
    assert (found.older, found.gestures) == ("", [])
