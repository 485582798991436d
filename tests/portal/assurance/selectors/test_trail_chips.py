"""The chips above the trail: what may be chosen, who acted on this page, and whose name was searched for."""

import pytest

from portal.assurance.selectors.trail_chips import chosen, facets_of, people_of, things_of
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


def chips(facet):
    return [(chip.label, chip.url) for chip in facet.chips]


def test_what_was_done_is_a_choice_of_its_own():
    (actions,) = (facet for facet in facets_of(Filters(action="deleted"), {}) if facet.label == "Action")
    assert [(chip.label, chip.url, chip.current) for chip in actions.chips][:3] == [
        ("Any", "/audit/", False),
        ("Created", "/audit/?action=created", False),
        ("Changed", "/audit/?action=changed", False),
    ]
    assert [chip.label for chip in actions.chips if chip.current] == ["Deleted"]
    assert chosen(Filters(action="deleted"), []) == []
    assert [chip.label for chip in chosen(Filters(action="signed-out"), [])] == ["Signed out"]


def test_kinds_on_the_page_are_links_and_then_the_objects_of_the_one_that_is_chosen():
    rows = [make_row(model="directory.team", object_id="4", name="Support"), make_row(model="directory.system")]
    rows += [make_row(model="directory.team", object_id="5", name="Platform"), rows[0]]
    kinds = things_of(Filters(origin="web"), rows)
    assert kinds.label == "Kind"
    assert chips(kinds)[0] == ("Teams", "/audit/?origin=web&model=directory.team")
    assert len(kinds.chips) == 2
    objects = things_of(Filters(model="directory.team"), rows)
    assert objects.label == "Object"
    assert [url for _, url in chips(objects)] == [
        "/audit/?model=directory.team&object=4",
        "/audit/?model=directory.team&object=5",
    ]
    assert things_of(Filters(model="directory.team", object="4"), rows) is None
    assert things_of(Filters(), []) is None
