"""The release checklist: ticked cell by cell and row by row, with script and without, never silently carried over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from changes import services
from changes.enums import CellState, Outcome
from changes.models import Cell, Module, ReleaseCheck
from changes.services.releasing import Answer
from portal.records.models import Demand
from tests.factories.approvals import make_person
from tests.factories.changes import HOUR, fill_matrix, make_approved, make_change, make_started, pass_gates, verify

pytestmark = pytest.mark.django_db


def text_of(response):
    return " ".join(response.content.decode().split())


@pytest.fixture
def change(jonas, amara, slot, at):
    return make_approved(by=jonas, implementer=amara, modules=Module.objects.all()[:3], at=at, **slot)


@pytest.fixture
def matrix(change):
    return f"{change.get_absolute_url()}matrix/"


def cell_of(change, check, module=None):
    cells = Cell.objects.filter(change=change, check_of__slug=check).order_by("module__position")
    return cells.get(module=module) if module else cells.first()


def test_the_matrix_asks_of_the_touched_modules_alone(as_user, jonas, change, matrix):
    shown = text_of(as_user(jonas).get(matrix))
    assert "15 of 15 cells open" in shown
    assert "Module 3" in shown
    assert "Module 4" not in shown


def test_a_draft_is_not_asked_yet(as_user, jonas, slot, at):
    change = make_change(by=jonas, at=at, modules=Module.objects.all()[:1], **slot)
    assert "Nothing is asked yet" in text_of(as_user(jonas).get(f"{change.get_absolute_url()}matrix/"))
    without = make_change(by=jonas, at=at, **slot)
    assert "touches no module" in text_of(as_user(jonas).get(f"{without.get_absolute_url()}matrix/"))


def test_a_tick_says_that_a_cell_is_done_once(as_user, jonas, amara, change, matrix):
    cell = cell_of(change, "migrations")
    tick = {"done": f"{cell.module_id}:{cell.check_of_id}"}
    assert as_user(jonas).post(matrix, tick).status_code == 302
    as_user(amara).post(matrix, tick)
    cell.refresh_from_db()
    assert (cell.state, cell.answered_by) == (CellState.DONE, "Jonas Lindqvist")


def test_with_script_a_tick_answers_with_its_cell(as_user, jonas, change, matrix):
    cell = cell_of(change, "migrations")
    answer = as_user(jonas).post(
        matrix, {"done": f"{cell.module_id}:{cell.check_of_id}"}, headers={"HX-Request": "true"}
    )
    shown = text_of(answer)
    assert f'<span id=c{cell.pk} class="is-done" hx-swap-oob="true"' in shown
    assert "14 of 15 cells open" in shown
    assert "<html" not in shown


def test_a_row_is_ticked_at_once_but_no_question(as_user, jonas, change, matrix):
    module = Module.objects.all()[0]
    as_user(jonas).post(matrix, {"row": str(module.pk)})
    open_ones = Cell.objects.filter(change=change, module=module, state=CellState.OPEN)
    assert [cell.check_of.slug for cell in open_ones] == ["access-review"]


@pytest.mark.parametrize("sent", [{}, {"done": "x"}, {"done": "1:999999"}, {"row": "9" * 30}, {"done": "1:1:1"}])
def test_a_tick_of_nothing_is_not_found(as_user, jonas, matrix, sent):
    assert as_user(jonas).post(matrix, sent).status_code == 404


def test_what_is_not_needed_says_why(as_user, jonas, change, matrix):
    address = f"{matrix}module_1/seed-data/"
    refused = as_user(jonas).post(address, {"state": "not_needed", "because": ""})
    assert refused.status_code == 422
    assert "why it is not needed" in text_of(refused)
    assert as_user(jonas).post(address, {"state": "not_needed", "because": "No seeds"}).status_code == 302
    assert cell_of(change, "seed-data").because == "No seeds"
    assert "Not needed" in text_of(as_user(jonas).get(matrix))


def test_the_access_review_is_a_question_whose_yes_opens_one(as_user, jonas, change, matrix):
    address = f"{matrix}module_1/access-review/"
    assert "Is an access review needed?" in text_of(as_user(jonas).get(address))
    assert as_user(jonas).post(address, {"state": "review"}).status_code == 302
    assert Demand.objects.filter(topic="assurance.access-review", answered_at=None).count() == 1
    assert "Review open" in text_of(as_user(jonas).get(matrix))
    assert "Review open" in text_of(as_user(jonas).get(change.get_absolute_url()))


def test_several_cells_of_a_module_are_answered_together_with_a_reason(as_user, jonas, change, matrix):
    checks = ReleaseCheck.objects.filter(slug__in=["seed-data", "templates"])
    sent = {"checks": [check.pk for check in checks], "state": "not_needed", "because": ""}
    assert as_user(jonas).post(f"{matrix}module_2/", sent).status_code == 422
    sent["because"] = "It has neither"
    assert as_user(jonas).post(f"{matrix}module_2/", sent).status_code == 302
    answered = Cell.objects.filter(change=change, because="It has neither")
    assert {cell.module.slug for cell in answered} == {"module_2"}
    assert answered.count() == 2


def test_what_is_under_way_is_not_ticked(as_user, jonas):
    change = make_started(by=jonas, modules=Module.objects.all()[:1])
    page = as_user(jonas).get(f"{change.get_absolute_url()}matrix/")
    assert "Its checklist stands as it is" in text_of(page)
    cell = cell_of(change, "migrations")
    Cell.objects.get(pk=cell.pk)
    refused = as_user(jonas).post(f"{change.get_absolute_url()}matrix/module_1/migrations/", {"state": "open"})
    assert refused.status_code == 422


def test_who_only_reads_ticks_nothing(as_user, change, matrix):
    auditor = as_user(make_person("Al", "auditor"))
    assert auditor.post(matrix, {"row": "1"}).status_code in {403, 404}


def test_the_last_release_is_offered_and_never_taken_over_silently(as_user, jonas, amara, slot, at):
    module, begun = Module.objects.all()[0], at - timedelta(hours=3)
    old = {"planned_start": begun, "planned_end": begun + HOUR}
    first = make_approved(by=jonas, implementer=amara, modules=[module], at=begun - HOUR, **old)
    seed, said = ReleaseCheck.objects.get(slug="seed-data"), Answer(CellState.NOT_NEEDED, because="It has no seeds")
    services.answer(first, module, seed, said, by=jonas, at=begun - HOUR)
    fill_matrix(first, at=begun - HOUR)
    pass_gates(first, at=begun - HOUR)
    first = services.schedule(first, by=jonas, at=begun - HOUR)
    first = services.start(first, by=amara, at=begun)
    first = verify(first, by=amara, at=begun + HOUR)
    services.close(first, outcome=Outcome.SUCCESSFUL, by=jonas, at=begun + HOUR)
    second = make_approved(by=jonas, implementer=amara, modules=[module], at=at, **slot)
    page = text_of(as_user(jonas).get(f"{second.get_absolute_url()}matrix/"))
    assert f"{first.reference} touched these modules before." in page
    assert cell_of(second, "seed-data").state == CellState.OPEN
    address = f"{second.get_absolute_url()}carry-over/"
    assert "It has no seeds" in text_of(as_user(jonas).get(address))
    assert as_user(jonas).post(address, {}).status_code == 422
    assert as_user(jonas).post(address, {"modules": [module.pk]}).status_code == 302
    assert cell_of(second, "seed-data").because == f"As in {first.reference}: It has no seeds"
    assert "Nothing can be carried over" in text_of(as_user(jonas).get(address))


def test_the_matrix_costs_the_same_for_one_module_and_for_forty(
    as_user, jonas, slot, at, django_assert_num_queries, django_assert_max_num_queries
):
    small = make_approved(by=jonas, modules=Module.objects.all()[:1], at=at, **slot)
    large = make_approved(by=jonas, modules=Module.objects.all(), at=at, **slot)
    reader = as_user(jonas)
    reader.get(f"{small.get_absolute_url()}matrix/")
    with django_assert_max_num_queries(25) as few:
        reader.get(f"{small.get_absolute_url()}matrix/")
    with django_assert_num_queries(len(few)):
        response = reader.get(f"{large.get_absolute_url()}matrix/")
    assert len(response.content) < 60_000, "a page is at most 60 KB"
