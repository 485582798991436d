"""Reviews that wait for a reviewer stand on Now; overdue ones on Readiness, for those who may see them."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.assurance.selectors.review_list import lists_of, overdue_reviews, waiting_for
from portal.assurance.services import deciding
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import NOON
from tests.factories.reviews import DAY, change, make_review

pytestmark = pytest.mark.django_db
READINESS = reverse("dashboard:readiness")


@pytest.fixture
def kwame():
    return make_user("kwame", roles=["administrator"], first_name="Kwame", last_name="Mensah")


@pytest.fixture
def leila():
    return make_user("leila", roles=["security-lead"], first_name="Leila", last_name="Nasser")


@pytest.fixture
def hannah():
    return make_user("hannah", roles=["manager"], first_name="Hannah", last_name="Whitcombe")


@pytest.fixture
def door(client):
    def read(user, address="/"):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client.get(address).content.decode()

    return read


def section(page, name):
    return re.search(rf'aria-labelledby="{name}".*?</section>', page, re.DOTALL)[0]


def test_a_review_waits_for_those_who_review_it_and_nobody_else(leila, hannah, kwame):
    named = make_review(reviewers=[hannah], reviewer_roles=(), due_at=NOON + 2 * DAY)
    by_role = make_review(reviewer_roles=["Security lead"])
    at = NOON + 3 * DAY
    assert [(row.review, row.overdue) for row in waiting_for(hannah, at=at)] == [(named, True)]
    assert [(row.review, row.overdue) for row in waiting_for(leila, at=at)] == [(by_role, False)]
    assert waiting_for(kwame, at=at) == waiting_for(make_user(roles=["responder"]), at=at) == []
    assert [row.yours for row in lists_of(hannah, page=None, at=at).open] == [True, False]


def test_now_shows_what_a_reviewer_has_to_do_and_what_somebody_is_asked(door, leila, kwame):
    change(kwame)
    review = make_review(due_at=clock.now() + DAY)
    deciding.question(review, review.items.get(), words="Who agreed?", by=leila, at=NOON + DAY)
    waiting = section(door(leila), "mine")
    assert review.title in waiting
    assert "You review it" in waiting
    assert "overdue" not in waiting
    asked = section(door(kwame), "mine")
    assert f"/audit/reviews/{review.reference}/items/1/answer/" in asked
    assert review.title not in asked


def test_what_is_overdue_is_said_on_now_and_on_readiness(door, leila, hannah):
    review = make_review(reviewer_roles=["Security lead"], due_at=NOON + 2 * DAY)
    assert "overdue" in section(door(leila), "mine")
    card = section(door(hannah, READINESS), "overdue")
    assert review.title in card
    assert "0 of 0 decided" in card
    assert "Reviews that are overdue" not in door(make_user(), READINESS)
    assert "Reviews that are overdue" not in door(make_user(roles=["auditor"], engaged=False), READINESS)


def test_nothing_is_said_while_no_review_is_overdue(door, hannah):
    make_review(due_at=clock.now() + DAY)
    assert "Reviews that are overdue" not in door(hannah, READINESS)
    assert overdue_reviews(hannah, at=clock.now()) == []


@pytest.mark.parametrize("address", ["/", READINESS])
def test_the_pages_cost_the_same_however_many_reviews_wait(door, leila, kwame, address):
    def count():
        with CaptureQueriesContext(
            connection,
        ) as found:
            door(leila, address)
        return len(found)

    for number in range(2):
        change(kwame, at=NOON - timedelta(hours=number))
        make_review(due_at=NOON + 2 * DAY)
    count()
    few = count()
    for _ in range(5):
        make_review(due_at=NOON + 2 * DAY)
    assert count() <= few
