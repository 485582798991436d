"""Rows are found alike on both databases: by what their columns hold, by whole words, and by fields that changed."""

from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict

from portal.assurance.selectors import trail_finding, trail_spans
from portal.assurance.selectors.trail_filters import Filters, Place
from portal.assurance.selectors.trail_finding import find, narrowed
from portal.audit.enums import Action
from portal.audit.models import TrailRow
from tests.factories.directory import NOON
from tests.factories.trail import make_row, make_rows

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(days=2)


def found(query="", *, limit=100, place=None, without=(), now=LATER):
    """Return the ids that an address finds among the rows of this test, in their order."""
    filters = Filters.of(QueryDict(query))
    rows = TrailRow.objects.filter(at__gte=NOON - timedelta(days=2000), address="192.0.2.1")
    return [row.pk for row in find(rows, filters, limit=limit, now=now, place=place, without=without).rows]


def test_rows_come_newest_first_and_the_last_page_oldest_first():
    rows = [make_row().pk for _ in range(3)]
    assert found() == rows[::-1]
    assert found("last=1") == rows


def test_equal_moments_are_told_apart_by_the_order_of_writing():
    rows = [make_row(at=NOON) for _ in range(4)]
    ids = [row.pk for row in rows]
    assert found(limit=2) == ids[:1:-1]
    assert found(limit=2, place=Place(NOON, ids[2])) == ids[1::-1]
    assert found("after=0.0", place=Place(NOON, ids[1])) == ids[2:]


def test_no_row_is_shown_twice_or_left_out_on_the_way_through_all_pages():
    make_rows(30, apart=timedelta(hours=7), address="192.0.2.1")
    everything = found()
    gone, place = [], None
    while some := found(limit=7, place=place):
        gone += some
        row = TrailRow.objects.get(pk=some[-1])
        place = Place(row.at, row.pk)
    assert gone == everything
    assert len(set(gone)) == 30


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("person=12", {"actor_id": 12}),
        ("part=system: escalation", {"actor_id": None, "actor_name": "system: escalation"}),
        ("origin=import", {"origin": "import"}),
        ("model=directory.team", {"model": "directory.team"}),
        ("model=incidents.incident&object=9", {"object_id": "9"}),
        ("action=deleted", {"action": Action.DELETED}),
        ("what=privileged", {"privileged": True}),
        ("what=approvals", {"model": "approvals.stage"}),
        ("what=approvals", {"action": Action.DECIDED}),
        ("what=incidents", {"model": "incidents.responder"}),
        ("what=people", {"model": "accounts.user"}),
        ("what=sign-ins", {"action": Action.SIGN_IN_REFUSED}),
        ("what=reading", {"action": Action.EXPORTED}),
        ("period=today", {"at": LATER - timedelta(hours=1)}),
        ("from=2026-11-18&to=2026-11-18", {"at": NOON + timedelta(days=1)}),
        ("person=12&origin=admin&q=agreed", {"actor_id": 12, "origin": "admin", "reason": "Agreed"}),
    ],
)
def test_a_filter_finds_what_fits_and_nothing_else(query, fields):
    make_row(model="directory.calendar", action=Action.CREATED)
    wanted = make_row(**{"model": "incidents.incident", **fields})
    make_row(model="directory.calendar")
    assert found(query) == [wanted.pk]


def test_an_object_brings_its_parts_and_a_part_only_itself():
    incident = make_row(object_id="9")
    part = make_row(model="incidents.responder", object_id="3", root_model="incidents.incident", root_id="9")
    assert found("model=incidents.incident&object=9") == [part.pk, incident.pk]
    assert found("model=incidents.responder&object=3") == [part.pk]


@pytest.mark.parametrize(
    ("words", "reason", "fits"),
    [
        ("rollback", "Rollback of 5.14.2", True),
        ("ROLLBACK of", "Rollback of 5.14.2", True),
        ("5.14.2", "Rollback of 5.14.2", True),
        ("roll", "Rollback of 5.14.2", False),
        ("rollback again", "Rollback of 5.14.2", False),
        ("straße", "Wartung (Straße)", True),
        ("mail", "See mail_intake/queue: e-mail@late", True),
        ("intake queue", "See mail_intake/queue: e-mail@late", True),
        ("it's", "It's over", True),
        ("%", "100%", False),
        ("a_b", "axb", False),
        ("<b>", "a b c", True),
    ],
)
def test_whole_words_of_a_reason_are_found_whatever_their_case(words, reason, fits):
    row = make_row(reason=reason, name="")
    assert (found(f"q={words.replace('%', '%25')}") == [row.pk]) == fits


def test_a_name_is_found_where_it_was_given_and_not_on_every_change():
    made = make_row(action=Action.CREATED, name="Webhook Gateway", reference="INC-000418")
    make_row(("status", "a", "b"), name="Webhook Gateway", reference="INC-000418")
    renamed = make_row(("name", "Hooks", "Webhook Gateway"), name="Webhook Gateway")
    gone = make_row(action=Action.DELETED, name="Webhook Gateway")
    assert found("q=gateway") == [gone.pk, renamed.pk, made.pk]
    assert found("q=inc-000418") == [made.pk]


def test_a_field_is_found_where_it_changed():
    make_row(("severity", None, "SEV-3"), action=Action.CREATED)
    changed = make_row(("severity", "SEV-3", "SEV-2"), ("title", "a", "b"))
    team = make_row(("name", "a", "b"), model="directory.team")
    make_row(("severity_note", "a", "b"))
    assert found("field=severity") == [changed.pk]
    assert found("field=severity&model=incidents.incident") == [changed.pk]
    assert found("field=name&model=directory.team") == [team.pk]
    assert found("field=severity&model=directory.team") == []
    assert found("field=nosuchfield") == []


def test_a_search_without_a_word_finds_nothing():
    make_row()
    assert found("q=-,-") == []


def test_a_gesture_can_be_passed_over():
    row, other = make_row(), make_row()
    assert found(without=[other.gesture]) == [row.pk]


@pytest.mark.parametrize("query", ["", "origin=web", "q=needle", "person=7&q=needle", "field=title"])
@pytest.mark.parametrize("backwards", ["", "last=1"])
def test_the_same_rows_are_found_in_short_spans_and_in_long_ones(query, backwards, monkeypatch):
    for number in range(12):
        at = NOON - timedelta(days=97 * number)
        make_row(
            ("title", "a", "b"), at=at, reason="needle" if number % 2 else "hay", origin="web" if number % 3 else "api"
        )
    asked = f"{query}&{backwards}"
    whole = found(asked)
    assert whole
    for name, value in (
        ("ROWS_OF_A_SPAN", 1),
        ("LONGEST_SPAN", 3),
        ("NEAR_SPANS", 1),
        ("FEW", 0),
        ("BUDGET", timedelta(minutes=1)),
    ):
        monkeypatch.setattr(trail_spans, name, value)
    assert found(asked) == whole
    assert found(asked, limit=2) == whole[:2]


def test_what_takes_too_long_says_how_far_it_looked(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite keeps small installations and is asked plainly")
    rows = [make_row(at=NOON - timedelta(days=300 * number)).pk for number in range(4)]
    monkeypatch.setattr(trail_spans, "LONGEST_SPAN", 100)
    monkeypatch.setattr(trail_spans, "BUDGET", timedelta(0))
    seen = TrailRow.objects.filter(pk__in=rows)
    first = find(seen, Filters(), limit=10, now=LATER)
    assert first.rows == []
    assert first.looked is not None
    monkeypatch.setattr(trail_spans, "BUDGET", timedelta(seconds=30))
    rest = find(seen, Filters(), limit=10, now=LATER, place=Place(first.looked, 0))
    assert [row.pk for row in rest.rows] == rows
    assert rest.looked is None


@pytest.mark.parametrize(
    "query", ["", "q=agreed", "field=title", "person=12&q=agreed", "model=incidents.incident&object=9", "q=,"]
)
def test_what_is_exported_is_what_the_page_finds(query):
    make_row(("title", "a", "b"), reason="Agreed", actor_id=12, object_id="9")
    make_row(reason="Agreed")
    make_row(("title", "a", "b"))
    seen = TrailRow.objects.filter(address="192.0.2.1")
    rows = narrowed(seen, Filters.of(QueryDict(query)), now=LATER)
    assert sorted(rows.values_list("pk", flat=True)) == sorted(found(query))


def test_the_index_of_words_and_fields_is_used():
    if connection.vendor != "postgresql":
        pytest.skip("The index is PostgreSQL's")
    make_rows(200)
    text = trail_spans.Spans(
        TrailRow.objects.order_by(),
        trail_finding.terms(Filters(q="agreed", field="title")),
        False,
        10,
        None,
        None,
        None,
    ).statement()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_trail")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {text.sql}", text.values)
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert plan.count("Bitmap Index Scan on trail_by_terms") == 3
    assert "Gather" not in plan


def test_finding_takes_one_query(django_assert_num_queries):
    make_rows(5)
    with django_assert_num_queries(1):
        find(TrailRow.objects.all(), Filters(q="agreed", person=7), limit=10, now=LATER)
