"""The pages of maintenance, as people of each role use them."""

from __future__ import annotations

import io
import zipfile
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from maintenance import importing, services
from maintenance.enums import Frequency, PlanState, State
from maintenance.models import Plan
from maintenance.selectors import due as selected
from maintenance.views import due
from portal.audit.actor import acting
from tests.factories.accounts import confirm, make_superuser, make_user
from tests.factories.directory import NOON, make_contact, make_system
from tests.factories.exercises import make_recovery_plan
from tests.factories.maintenance import WHY, make_draft, make_member, make_plan, standing

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock_stands(monkeypatch):
    monkeypatch.setattr("portal.lib.clock.now", lambda: NOON)
    monkeypatch.setattr("portal.lib.clock.database_now", lambda: NOON)
    with acting(by="system: test", reason=WHY, at=NOON):
        yield


@pytest.fixture
def maren(client):
    user, contact = make_member("Maren Holt", "manager")
    client.force_login(user)
    return contact


@pytest.fixture
def amara(client):
    user, contact = make_member("Amara Okafor")
    client.force_login(user)
    return contact


def text(answer):
    return " ".join(answer.content.decode().split())


def form_of(client, address, **more):
    """Send the form at an address, with its one-time key, and return the answer."""
    once = client.get(address).context["form"]["once"].value()
    return client.post(address, {"once": once, **more})


def test_the_due_list_shows_what_one_manages_overdue_first(client, maren):
    late = make_plan(manager=maren, anchor=date(2026, 9, 5), last_done_on=date(2026, 9, 5), task="Renew certificates")
    soon = make_plan(manager=maren, task="Rotate keys")
    make_plan(task="Of somebody else")
    page = client.get("/maintenance/")
    shown = text(page)
    assert shown.index(late.task) < shown.index(soon.task)
    assert "Of somebody else" not in shown
    assert "Of somebody else" in text(client.get("/maintenance/?whose=all"))
    assert soon.task not in text(client.get("/maintenance/?when=overdue"))


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_what_is_overdue_stands_before_what_waits_for_a_signature_on_however_many_pages(
    client, maren, monkeypatch, size
):
    monkeypatch.setattr(selected, "PAGE_SIZE", size)
    done_on = {"last_done_on": date(2026, 8, 5), "anchor": date(2026, 8, 5)}
    signed = make_plan(manager=maren, needs_sign_off=True, task="Review accounts", **done_on)
    services.complete(standing(signed), by=make_member("Amara Okafor")[0], at=NOON)
    later = {"last_done_on": date(2026, 9, 5), "anchor": date(2026, 9, 5)}
    late = [make_plan(manager=maren, task=f"Renew certificate {number}", **later) for number in range(2)]
    soon = make_plan(manager=maren, task="Rotate keys")
    wanted = [plan.task for plan in (*late, signed, soon)]
    assert standing(signed).due_at < standing(late[0]).due_at
    pages = [client.get(f"/maintenance/?page={number}").context["list"] for number in range(1, 6)]
    assert [row.occurrence.plan.task for page in pages for row in page.rows] == wanted
    assert [page.more for page in pages] == [number * size < len(wanted) for number in range(1, 6)]
    table = b"".join(client.get("/maintenance/due.csv")).decode()
    assert sorted(wanted, key=table.index) == wanted


def test_the_due_list_asks_the_same_queries_of_many(client, maren, django_assert_max_num_queries):
    for number in range(3):
        make_plan(manager=maren, task=f"Task {number}")
    client.get("/maintenance/")
    with django_assert_max_num_queries(40) as few:
        client.get("/maintenance/")
    for number in range(12):
        make_plan(manager=maren, task=f"More {number}")
    with django_assert_max_num_queries(len(few)):
        client.get("/maintenance/")


@pytest.mark.parametrize("page", ["0", "-1", "x", "²", "9" * 5000])
def test_a_page_that_is_no_number_is_the_first(client, maren, page):
    plan = make_plan(manager=maren)
    assert plan.task in text(client.get("/maintenance/", {"page": page}))


def test_whoever_sees_no_maintenance_sees_no_list(client):
    client.force_login(make_user())
    assert client.get("/maintenance/").status_code == 403
    plan = make_plan()
    assert client.get(plan.get_absolute_url()).status_code == 404


def test_a_plan_is_written_down_put_in_force_and_done(client, maren):
    values = {
        "task": "Rotate keys", "frequency": "monthly", "every": 1, "basis": "fixed", "nth": 1, "weekday": 0,
        "anchor": "2026-12-01", "due_time": "12:00", "time_zone": "Europe/London", "shift": "none", "grace_days": 3,
        "owner": maren.pk, "manager": make_contact("Ruth Bergqvist").pk, "reason": "We have keys now.",
    }  # fmt: skip
    answer = form_of(client, "/maintenance/plans/new/", **values)
    plan = Plan.objects.get(task="Rotate keys")
    assert answer.url == plan.get_absolute_url()
    assert plan.state == PlanState.DRAFT
    assert "Every month, and Tue 1 Dec 2026 is its first date." in text(client.get(answer.url))
    form_of(client, f"{answer.url}put-in-force/", reason="It is right.")
    first = standing(plan)
    done = form_of(client, f"{first.get_absolute_url()}complete/", found="All of them.")
    assert done.url == first.get_absolute_url()
    assert "All of them." in text(client.get(done.url))
    assert standing(plan).number == 2


def test_an_impossible_rule_is_refused_beside_the_form(client, maren):
    values = {
        "task": "Never", "frequency": "custom", "rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "every": 1,
        "basis": "fixed", "nth": 1, "weekday": 0, "anchor": "2026-12-01", "due_time": "12:00",
        "time_zone": "Europe/London", "shift": "none", "grace_days": 3, "reason": WHY,
    }  # fmt: skip
    answer = form_of(client, "/maintenance/plans/new/", **values)
    assert answer.status_code == 422
    assert "does not come round within twelve years" in text(answer)
    assert not Plan.objects.filter(task="Never").exists()


def test_a_second_submit_changes_nothing(client, amara):
    first = standing(make_plan(owner=amara, frequency=Frequency.DAILY))
    address = f"{first.get_absolute_url()}complete/"
    once = client.get(address).context["form"]["once"].value()
    for _ in range(2):
        assert client.post(address, {"once": once}).status_code == 302
    assert first.plan.occurrences.filter(state=State.COMPLETED).count() == 1


def test_what_cannot_be_is_said_beside_the_form(client, amara):
    first = standing(make_plan(owner=amara))
    answer = form_of(client, f"{first.get_absolute_url()}complete/", done_at="2026-11-18T12:00")
    assert answer.status_code == 422
    assert "in the future" in text(answer)
    assert form_of(client, f"{first.get_absolute_url()}skip/", reason=" ").status_code == 422


def test_nobody_signs_what_they_did(client, amara):
    plan = make_plan(owner=amara, needs_sign_off=True)
    first = standing(plan)
    form_of(client, f"{first.get_absolute_url()}complete/")
    assert "Sign off" not in text(client.get(first.get_absolute_url())).partition("Timeline")[0]
    assert form_of(client, f"{first.get_absolute_url()}sign/").status_code == 403


def test_responders_do_tasks_and_write_no_plans(client, amara):
    plan = make_plan(owner=amara)
    assert client.get("/maintenance/plans/new/").status_code == 403
    assert client.get(f"{plan.get_absolute_url()}edit/").status_code == 403
    assert client.get(f"{plan.get_absolute_url()}retire/").status_code == 403
    assert client.get(f"{standing(plan).get_absolute_url()}complete/").status_code == 200


def test_a_plan_shows_its_whole_history(client, maren):
    plan = make_plan(manager=maren, last_done_on=date(2026, 10, 2))
    services.complete(standing(plan), by="system: test", at=NOON)
    page = client.get(plan.get_absolute_url())
    assert [mark.look.word for mark in page.context["marks"]] == ["Done", "Done late", "Open"]
    assert "3 dates, oldest first" in text(page)


def test_an_owner_who_left_is_flagged_and_handed_over_in_bulk(client, maren):
    gone, heir = make_contact("Amara Okafor"), make_contact("Joel Brandt")
    plans = [make_plan(owner=gone, manager=maren) for _ in range(2)]
    gone.active = False
    gone.save()
    assert "The owner of 2 of these has left." in text(client.get("/maintenance/"))
    assert "has left" in text(client.get(plans[0].get_absolute_url()))
    keys = [plan.pk for plan in plans]
    asked = client.post("/maintenance/hand-over/", {"plans": keys})
    once = asked.context["form"]["once"].value()
    words = {"plans": keys, "owner": heir.pk, "once": once}
    assert client.post("/maintenance/hand-over/", {**words, "reason": ""}).status_code == 422
    client.post("/maintenance/hand-over/", {**words, "reason": "Amara left."})
    assert set(Plan.objects.filter(pk__in=keys).values_list("owner__name", flat=True)) == {"Joel Brandt"}


def test_handing_over_nothing_says_what_to_do(client, maren):
    answer = client.post("/maintenance/hand-over/", {}, follow=True)
    assert "Tick the plans that are handed over" in text(answer)


@pytest.mark.parametrize(("address", "leads"), [("hand-over/", ""), ("feeds/", "calendar/")])
def test_a_page_that_only_a_form_leads_to_leads_back_when_it_is_opened_anew(client, maren, address, leads):
    assert client.get(f"/maintenance/{address}").url == f"/maintenance/{leads}"


def test_the_list_of_the_administration_says_how_often_a_plan_comes_round(client):
    client.force_login(make_superuser())
    make_plan(frequency="monthly", every=3)
    assert "Every 3 months" in text(client.get("/admin/maintenance/plan/"))


def test_a_search_that_finds_nothing_does_not_say_that_nothing_is_due(client, maren):
    make_plan(owner=maren, manager=maren)
    page = text(client.get("/maintenance/?whose=all&q=nowhere"))
    assert "No task of this view has these words" in page
    assert "Nothing of it is overdue" not in page


def test_a_draft_says_that_it_reminds_nobody(client, maren):
    make_draft()
    assert "Nobody is reminded of a draft." in text(client.get("/maintenance/"))


def test_what_a_restore_test_or_an_exercise_does_is_not_offered_to_be_ticked(client, maren):
    tested = make_plan(manager=maren, proves_recovery=True, systems=[make_system("desk", name="Desk")])
    recovery = make_recovery_plan()
    for plan, way in ((tested, "/recovery/systems/desk/"), (recovery.upkeep, recovery.get_absolute_url())):
        page = client.get(standing(plan).get_absolute_url())
        assert way in text(page)
        assert "complete" not in [offer.act.slug for offer in page.context["offers"]]
    slugs = [offer.act.slug for offer in client.get(recovery.upkeep.get_absolute_url()).context["offers"]]
    assert "retire" not in slugs


# Tables


def upload(client, content, **words):
    once = client.get("/maintenance/plans/import/").context["form"]["once"].value()
    file = SimpleUploadedFile("plans.csv", content.encode(), "text/csv")
    return client.post("/maintenance/plans/import/", {"once": once, "file": file, "reason": WHY, **words})


def test_a_file_is_looked_at_before_it_is_taken(client, maren):
    content = "task,frequency,first date\nRotate keys,weekly,2026-12-01\n"
    assert "This is what would happen" in text(upload(client, content, dry="on"))
    assert not Plan.objects.filter(task="Rotate keys").exists()
    assert "1 of 1 rows are written." in text(upload(client, content))
    assert Plan.objects.get(task="Rotate keys").state == PlanState.DRAFT
    answer = upload(client, content)
    assert answer.status_code == 422
    assert "1 row refused: nothing was written" in text(answer)


def test_what_is_no_table_is_said_beside_the_file(client, maren):
    answer = upload(client, "\0")
    assert answer.status_code == 422
    assert "This is no table." in text(answer)


def test_more_rows_than_a_page_takes_are_refused_with_the_way_out(client, maren, monkeypatch):
    monkeypatch.setattr(importing, "MOST_ON_PAGE", 1)
    answer = upload(client, "task,first date\nRotate keys,2026-12-01\nTurn logs,2026-12-01\n")
    assert answer.status_code == 422
    assert "manage.py import_plans FILE" in text(answer)
    assert not Plan.objects.filter(task="Rotate keys").exists()


def test_csv_files_are_sent_while_they_are_written(client, maren, monkeypatch):
    plans = [make_plan(manager=maren) for _ in range(3)]
    monkeypatch.setattr("maintenance.views.importing.LINES_AT_ONCE", 2)
    for address in ("/maintenance/plans.csv", "/maintenance/due.csv?whose=managed"):
        answer = client.get(address)
        assert answer.streaming
        parts = [part.decode() for part in answer.streaming_content]
        assert len(parts) > 1
        assert all(f'"{plan.task}"' in "".join(parts) for plan in plans)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_plans_are_taken_along_and_given_back(client, maren, kind):
    plan = make_plan(manager=maren, task="=Rotate keys")
    assert f"/maintenance/plans.{kind}" in text(client.get("/maintenance/plans/"))
    file = SimpleUploadedFile(f"plans.{kind}", client.get(f"/maintenance/plans.{kind}").getvalue())
    once = client.get("/maintenance/plans/import/").context["form"]["once"].value()
    answer = client.post("/maintenance/plans/import/", {"once": once, "file": file, "reason": WHY})
    assert answer.status_code == 200
    assert f"{plan.reference} says this already." in text(answer)


def test_the_due_list_is_there_as_a_table_in_which_nothing_is_a_formula(client, maren):
    make_plan(manager=maren, task="=HYPERLINK(1)")
    make_plan(task="Of somebody else")
    lines = client.get("/maintenance/due.csv?whose=managed").getvalue().decode("utf-8-sig").splitlines()
    assert lines[0].startswith('"reference","task","systems"')
    assert len(lines) == 2
    assert '"\'=HYPERLINK(1)"' in lines[1]


def test_plans_stand_on_pages_and_none_is_left_out(client, maren, monkeypatch):
    monkeypatch.setattr(due, "PLANS_ON_A_PAGE", 2)
    made = {make_plan(task=f"Look at part {number}").reference for number in range(3)}
    pages = [client.get(f"/maintenance/plans/?page={number}") for number in range(1, 9)]
    assert "1 to 2 of" in text(pages[0])
    assert made <= {plan.reference for page in pages for plan in page.context["plans"]}


# The job itself


@pytest.fixture
def address(client, maren):
    plan = make_plan(manager=maren, frequency=Frequency.DAILY, anchor=date(2026, 11, 17), task="Rotate the logs")
    confirm(client)
    answer = form_of(client, f"{plan.get_absolute_url()}token/", name="logrotate", reason=WHY)
    client.logout()
    return answer.context["address"].partition("//")[2].partition("/")[2]


def test_a_job_says_that_it_is_done(client, address):
    answer = client.post(f"/{address}", {"note": "42 files"}, content_type="application/json")
    assert (answer.status_code, answer.json()["ok"]) == (201, True)
    plan = Plan.objects.get(task="Rotate the logs")
    done = plan.occurrences.get(number=1)
    assert (done.state, done.done_by, done.found) == (State.COMPLETED, "job: logrotate", "42 files")
    assert client.post(f"/{address}", "", content_type="application/json").status_code == 200
    assert plan.occurrences.count() == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("no object", 422), ('{"finished_at": "yesterday"}', 422), ('{"finished_at": "2026-11-17T02:00:00"}', 422),
        ('{"note": 1}', 422), ('{"other": 1}', 422), ("[]", 422),
        ('{"finished_at": "2026-11-18T02:00:00Z"}', 409), ('{"note": "' + "x" * 17_000 + '"}', 413), ("", 201),
    ],
)  # fmt: skip
def test_every_answer_to_a_job_has_its_sentence(client, address, body, status):
    answer = client.post(f"/{address}", body, content_type="application/json")
    assert answer.status_code == status
    assert answer.json()["message"].endswith(".")


def test_an_address_that_nobody_knows_says_nothing(client):
    answer = client.post("/maintenance/nobody/done")
    assert (answer.status_code, answer.json()["ok"]) == (404, False)
    assert client.get("/maintenance/nobody/done").status_code == 405


def test_the_due_list_is_there_as_a_workbook_in_which_nothing_is_a_formula(client, maren):
    make_plan(manager=maren, task="=1+1")
    answer = client.get("/maintenance/due.xlsx?whose=managed")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        whole = b"".join(book.read(name) for name in book.namelist() if "sheet" in name or "Strings" in name)
    assert b"1+1" in whole
    assert b"<f>" not in whole


def test_on_paper_the_due_list_says_what_it_shows_and_its_rows_are_printed(client, maren):
    make_plan(manager=maren, task="Patch")
    page = client.get("/maintenance/?whose=managed&q=Patch").content.decode()
    assert 'class="print-only">I manage, with “Patch”, as it stood on ' in page
    assert '<form class="prints" method="post" action="/maintenance/hand-over/">' in page
