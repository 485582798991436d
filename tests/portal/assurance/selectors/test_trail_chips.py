"""The chips above the trail: who acted on this page, and whose name was searched for."""

import pytest

from portal.assurance.selectors.trail_chips import people_of
from portal.assurance.selectors.trail_filters import Filters
from tests.factories.accounts import make_superuser, make_user
from tests.factories.trail import make_row

pytestmark = pytest.mark.django_db


def told(filters, *rows, reader=None):
    return [(chip.label, chip.url) for chip in people_of(filters, rows, reader or make_superuser())]


def test_whoever_acted_on_the_page_is_a_link_once():
    rows = [make_row(), make_row(), make_row(actor_id=None, actor_name="system: escalation")]
    assert told(Filters(origin="web"), *rows) == [
        ("Amara Okafor", "/audit/?origin=web&person=7"),
        ("system: escalation", "/audit/?origin=web&part=system%3A+escalation"),
    ]


def test_a_name_that_is_searched_for_leads_to_what_its_account_did():
    oscar = make_user(first_name="Oscar", last_name="Brandt")
    assert told(Filters(q="brandt osc")) == [("Oscar Brandt", f"/audit/?person={oscar.pk}")]
    assert told(Filters(q="randt")) == []


def test_accounts_are_named_only_to_whoever_may_see_them():
    make_user(first_name="Oscar", last_name="Brandt")
    assert told(Filters(q="oscar"), reader=make_user()) == []


def test_nobody_is_offered_once_somebody_is_chosen():
    assert told(Filters(person=7), make_row()) == []
    assert told(Filters(part="system: sealing"), make_row()) == []
