"""Plans out of a table: row by row, all of them or none, and a dry run that shows what will happen."""

import io
import zipfile
from datetime import date, time

import pytest
import xlsxwriter
from django.core.management import CommandError, call_command

from maintenance import importing, services
from maintenance.enums import Frequency, PlanState
from maintenance.importing import standing
from maintenance.models import Occurrence, Plan
from maintenance.policy import Refused
from portal.audit.actor import acting
from portal.directory.models import Contact, System
from portal.lib.writers import CsvWriter, XlsxWriter
from tests.factories.directory import NOON, make_calendar, make_contact, make_system, make_team
from tests.factories.maintenance import WHY, make_draft, make_plan
from tests.factories.runbooks import make_published

pytestmark = pytest.mark.django_db
HEADS = "task,frequency,first date,owner,manager,systems,last done,in force"


@pytest.fixture(autouse=True)
def people():
    with acting(by="system: test", reason=WHY, at=NOON):
        make_contact("Amara Okafor")
        make_contact("Maren Holt")
        make_system("ticket-db", name="Ticket database")
        yield


def take(*lines, heads=HEADS, dry=False):
    rows = importing.read("plans.csv", "\n".join([heads, *lines]).encode())
    return importing.take(rows, by="system: test", at=NOON, reason=WHY, dry=dry)


def table(rows):
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        days = book.add_format({"num_format": "yyyy-mm-dd"})
        for y, row in enumerate(rows):
            for x, value in enumerate(row):
                sheet.write_datetime(y, x, value, days) if isinstance(value, date) else sheet.write(y, x, value)
    return content.getvalue()


def test_a_row_becomes_a_plan_in_force_with_its_next_date():
    (line,) = take("Rotate keys,monthly,2026-01-31,Amara Okafor,Maren Holt,ticket-db,2026-10-31,yes")
    assert (line.number, line.what) == (2, "new")
    assert line.says == "A new plan in force: every month, due Mon 30 Nov 2026."
    plan = Plan.objects.get(task="Rotate keys")
    assert [system.slug for system in plan.systems.all()] == ["ticket-db"]
    assert Occurrence.objects.get(plan=plan, state="open").scheduled_on == date(2026, 11, 30)


def test_a_row_that_is_not_put_in_force_is_a_draft():
    (line,) = take("Rotate keys,weekly,2026-12-01,,,,,")
    assert line.says == "A new draft: every week."
    assert Plan.objects.get(task="Rotate keys").state == PlanState.DRAFT


def test_a_dry_run_says_the_same_and_writes_nothing():
    row = "Rotate keys,monthly,2026-12-01,Amara Okafor,Maren Holt,ticket-db,,yes"
    before = Plan.objects.count()
    said = take(row, dry=True)
    assert Plan.objects.count() == before
    assert take(row) == said


REFUSED = [
    ("Rotate keys,monthly,2026-12-01,Nobody Known,Maren Holt,,,", "There is no active person “Nobody"),
    ("Rotate keys,hourly,2026-12-01,,,,,", "“hourly” is no frequency."),
    ("Rotate keys,monthly,tomorrow,,,,,", "“tomorrow” is no day. Write it as 2026-12-01."),
    ("Rotate keys,monthly,,,,,,", "Give its first date"),
    ("Rotate keys,monthly,2026-12-01,,,no-such,,", "There is no system “no-such”."),
    ("Rotate keys,monthly,2026-12-01,Amara Okafor,,,,yes", "It lacks a manager."),
    ("Rotate keys,monthly,2026-12-01,Amara Okafor,Maren Holt,,2026-12-24,yes", "in the future"),
    ("Rotate keys,as_needed,2026-12-01,,,,,", "due anyway"),
    (",monthly,2026-12-01,,,,,", "Say what is to be done"),
    ("Rotate keys,monthly,2026-12-01,,,,,perhaps", "neither yes nor no"),
    ("Log rotation,daily,2026-12-01,,,,,", "A plan of this task stands already."),
]


@pytest.mark.parametrize(("row", "sentence"), REFUSED)
def test_a_row_that_cannot_be_refuses_the_file_with_a_sentence(row, sentence):
    before = Plan.objects.count()
    good, bad = take("Renew keys,weekly,2026-12-01,,,,,", row)
    assert (good.what, bad.what) == ("new", "refused")
    assert sentence in bad.says
    assert Plan.objects.count() == before


def test_a_column_that_nobody_knows_is_not_dropped():
    with pytest.raises(Refused, match="Nobody knows the column “colour”"):
        take("Rotate keys,red", "Turn logs,blue", heads="task,colour")


def test_a_cell_under_no_heading_is_not_dropped():
    (line,) = take("Rotate keys, then look,2026-12-01", heads="task,first date")
    assert line.what == "refused"
    assert line.says.startswith("“2026-12-01” stands under no heading.")
    (line,) = take("Rotate keys,urgent,2026-12-01", heads="task,,first date")
    assert line.says.startswith("“urgent” stands under no heading.")


def test_a_row_keeps_its_number_when_empty_rows_come_before_it():
    assert [line.number for line in take("Rotate keys,weekly,2026-12-01", "", ",,", "Turn logs,daily,2026-12-01")] == [
        2,
        5,
    ]
    content = table([[], ["task", "first date"], [], ["Renew keys", "2026-12-01"]])
    rows = importing.read("plans.xlsx", content)
    assert [line.number for line in importing.take(rows, by="system: test", at=NOON, reason=WHY)] == [4]


def test_a_task_that_two_rows_write_is_told_by_the_row_before():
    first, second = take("Rotate keys,weekly,2026-12-01", "Rotate keys,daily,2026-12-01", dry=True)
    assert (first.what, second.what) == ("new", "refused")
    assert second.says == "Row 2 writes a plan of this task already. Leave one of them."


def test_names_of_days_keep_their_capital_letters():
    (line,) = take("Rotate keys,nth_weekday,2026-12-01,friday,last", heads="task,frequency,first date,weekday,nth")
    assert line.says == "A new draft: the last Friday of every month."


def test_a_reference_changes_the_plan_that_stands():
    plan = make_draft(task="Rotate keys")
    heads = "reference,task,frequency"
    (line,) = take(f"{plan.reference},Rotate keys,weekly", heads=heads)
    assert (line.what, line.says) == ("change", f"{plan.reference} changes: frequency.")
    plan.refresh_from_db()
    assert plan.frequency == Frequency.WEEKLY
    (line,) = take(f"{plan.reference},Rotate keys,weekly", heads=heads)
    assert line.what == "same"


def test_an_empty_cell_of_a_change_leaves_what_stands():
    plan = make_draft(task="Rotate keys", needs_evidence=True, systems=[System.objects.get(slug="ticket-db")])
    (line,) = take(f"{plan.reference},weekly,,", heads="reference,frequency,systems,evidence")
    assert line.says == f"{plan.reference} changes: frequency."
    plan.refresh_from_db()
    assert (plan.needs_evidence, plan.systems.count()) == (True, 1)


def test_a_reference_puts_its_draft_in_force():
    plan = make_draft(task="Rotate keys")
    heads = "reference,in force,last done"
    (line,) = take(f"{plan.reference},yes,2026-11-02", heads=heads)
    assert line.says == f"{plan.reference} changes: in force."
    plan.refresh_from_db()
    assert plan.state == PlanState.IN_FORCE
    assert Occurrence.objects.get(plan=plan, state="open").scheduled_on == date(2026, 12, 2)
    assert [one.what for one in take(f"{plan.reference},yes,", heads=heads)] == ["same"]


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [("no,", "Retire it on its page"), ("yes,2026-11-02", "is in force already"), (",2026-11-02", "put in force")],
)
def test_what_a_table_cannot_say_of_a_plan_in_force_is_refused_and_not_dropped(cells, sentence):
    plan = make_plan(task="Rotate keys")
    (line,) = take(f"{plan.reference},{cells}", heads="reference,in force,last done")
    assert line.what == "refused"
    assert sentence in line.says


def test_a_draft_that_was_last_done_on_a_day_is_refused():
    (line,) = take("Rotate keys,weekly,2026-12-01,,,,2026-11-02,")
    assert "Write yes in the column in force" in line.says


def test_a_row_names_its_checklist_its_runbook_and_that_a_restore_test_does_it():
    runbook = make_published("Ticket database")
    row = f"Restore it,2026-12-01,{runbook.reference},yes,No such list"
    heads = "task,first date,runbook,restore test,checklist"
    (line,) = take(row, heads=heads)
    assert line.says == "There is no checklist “No such list”."
    take(row.replace("No such list", ""), heads=heads)
    plan = Plan.objects.get(task="Restore it")
    assert (plan.runbook, plan.proves_recovery) == (runbook, True)


def test_a_spreadsheet_says_the_same_as_a_csv_file():
    content = table([
        HEADS.split(","),
        ["Rotate keys", "Monthly", date(2026, 12, 1), "amara okafor", "Maren Holt", "Ticket database", "", "Yes"],
    ])  # fmt: skip
    rows = importing.read("plans.xlsx", content)
    (line,) = importing.take(rows, by="system: test", at=NOON, reason=WHY)
    assert line.says == "A new plan in force: every month, due Tue 01 Dec 2026."


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "The file is empty."),
        ("a.csv", b"task,first date,Task\na,2026-12-01,b\n", "The column “task” stands there twice"),
        ("a.csv", b"task,first date\n\n", "no row below"),
        ("a.csv", b"\xff\xfe\x00t", "not UTF-8"),
        ("a.xlsx", b"PK\x03\x04 and nothing", "cannot be read as XLSX"),
        ("a.csv", b"x" * (5 * 1024 * 1024 + 1), "larger than 5 MB"),
        ("a.csv", b"task\n" + b"x\n" * 5001, "more than 5,000 rows"),
    ],
)
def test_what_is_no_table_says_what_to_do(name, content, sentence):
    with pytest.raises(importing.Unreadable, match=sentence):
        importing.read(name, content)


def test_semicolons_separate_as_commas_do():
    assert importing.read("a.csv", b"task;frequency\nRotate, then look;daily\n") == {
        2: {"task": "Rotate, then look", "frequency": "daily"}
    }


ODD = ["=1+1", "'=1+1", "-1", "a;b, c\r\n\t=d\n", 'Say "so"', "Prüfe — 検査", "yes", "45000", "1.0"]


def taken_along(kind, tmp_path):
    rows = [list(row.values()) for row in importing.rows_of(Plan.objects.all())]
    path = tmp_path / f"plans.{kind}"
    if kind == "csv":
        writer = CsvWriter(path, importing.COLUMNS)
    else:
        writer = XlsxWriter(path, importing.COLUMNS, about=[], name="Plans")
    writer.write(rows)
    writer.close()
    return importing.read(path.name, path.read_bytes())


def make_every_kind():
    people = {"owner": Contact.objects.get(name="Amara Okafor"), "manager": Contact.objects.get(name="Maren Holt")}
    calendar, runbook = make_calendar("London"), make_published("Ticket database")
    systems = [System.objects.get(slug="ticket-db"), make_system("desk", name="Desk; with, signs")]
    given = [{"frequency": frequency} for frequency in Frequency if frequency not in {"custom", "as_needed"}]
    given += [
        {"frequency": "custom", "rule": "FREQ=MONTHLY;BYDAY=2TU"},
        {"frequency": "as_needed", "ceiling_days": 90, "trigger": "=It is needed"},
        {"basis": "floating", "every": 3, "lead_days": 0, "grace_days": 0, "due_time": time(23, 59, 30)},
        {"shift": "previous", "calendar": calendar, "runbook": runbook, "systems": systems, "time_zone": "Asia/Tokyo"},
        {"frequency": "nth_weekday", "nth": -1, "weekday": 4, "needs_evidence": True, "needs_sign_off": True},
        {"proves_recovery": True, "backup": make_contact("Joel Brandt"), "team": make_team("crew", name="Crew")},
        *({"task": f"{words} {number}", "procedure": words} for number, words in enumerate(ODD)),
    ]
    for number, values in enumerate(given):
        (make_draft if number % 2 else make_plan)(**people, **values)
    leaver = make_plan(**{**people, "owner": make_contact("Sam Gone")})
    leaver.owner.active = False
    leaver.owner.save()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_plans_that_are_taken_along_come_back_and_change_nothing(kind, tmp_path):
    make_every_kind()
    retired = services.retire(make_plan(), by="system: test", at=NOON, reason=WHY)
    rows = taken_along(kind, tmp_path)
    assert len(rows) == Plan.objects.exclude(pk=retired.pk).count()
    kept = list(Plan.history.values_list("pk", flat=True))
    lines = importing.take(rows, by="system: test", at=NOON, reason=WHY)
    assert [line for line in lines if line.what != "same"] == []
    assert list(Plan.history.values_list("pk", flat=True)) == kept


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_one_cell_that_is_edited_changes_that_alone(kind, tmp_path):
    make_every_kind()
    rows = taken_along(kind, tmp_path)
    before = {row["reference"]: row for row in importing.rows_of(Plan.objects.all())}
    for row in rows.values():
        row["grace days"] = "9"
    lines = importing.take(rows, by="system: test", at=NOON, reason=WHY)
    assert {line.says for line in lines} == {f"{reference} changes: grace days." for reference in before}
    after = {row["reference"]: row for row in importing.rows_of(Plan.objects.all())}
    assert after == {reference: {**row, "grace days": "9"} for reference, row in before.items()}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_without_their_references_they_are_new_plans_that_say_the_same(kind, tmp_path):
    make_every_kind()
    leavers = Plan.objects.filter(owner__active=False).values_list("reference", flat=True)
    rows = {n: row for n, row in taken_along(kind, tmp_path).items() if row["reference"] not in leavers}
    before = {row["task"]: row for row in importing.rows_of(Plan.objects.all())}
    for row in rows.values():
        row["reference"], row["task"] = "", f"Also {row['task']}"
    lines = importing.take(rows, by="system: test", at=NOON, reason=WHY)
    assert [line for line in lines if line.what != "new"] == []
    alike = dict.fromkeys(("reference", "task", "procedure"), "")
    for row in importing.rows_of(Plan.objects.filter(task__startswith="Also ")):
        stood = before.get(row["task"].removeprefix("Also "))
        assert stood is None or {**row, **alike} == {**stood, **alike}


def test_many_plans_are_read_in_few_queries_and_say_what_each_says(monkeypatch, django_assert_num_queries):
    make_every_kind()
    expected = [standing.row_of(plan) for plan in Plan.objects.order_by("pk")]
    monkeypatch.setattr(standing, "AT_ONCE", 10)
    monkeypatch.setattr(Plan, "from_db", None)  # to make an object of each takes ten times as long
    chunks = len(expected) // 10 + 1
    with django_assert_num_queries(2 * chunks):
        assert list(importing.rows_of(Plan.objects.all())) == expected


def test_a_plan_that_two_rows_name_is_read_anew_for_the_second():
    plan = make_draft(task="Rotate keys", every=1)
    lines = take(f"{plan.reference},2", f"{plan.reference},1", f"{plan.reference},1", heads="reference,every")
    assert [line.what for line in lines] == ["change", "change", "same"]


def test_a_page_takes_so_many_rows_and_what_merely_stands_does_not_count():
    plan = make_draft(task="Rotate keys")
    row = f"{plan.reference},Rotate keys,monthly,2026-11-02"
    table = f"reference,task,frequency,first date\n{row}\n,Turn logs,daily,2026-12-01\n"
    rows = importing.read("a.csv", table.encode())
    lines = importing.take(rows, by="system: test", at=NOON, reason=WHY, dry=True, most=1)
    assert [line.what for line in lines] == ["same", "new"]
    with pytest.raises(Refused, match=r"and a page takes 0 at once\. .* manage\.py import_plans FILE"):
        importing.take(rows, by="system: test", at=NOON, reason=WHY, dry=True, most=0)


def test_the_command_says_what_each_row_does(tmp_path, capsys):
    path = tmp_path / "plans.csv"
    path.write_text(f"{HEADS}\nRotate keys,weekly,2026-12-01,,,,,\n")
    call_command("import_plans", path, "--dry-run")
    assert "+ row 2 Rotate keys: A new draft: every week.\n1 of 1 rows would be written." in capsys.readouterr().out
    assert not Plan.objects.filter(task="Rotate keys").exists()
    call_command("import_plans", path)
    assert Plan.objects.filter(task="Rotate keys").exists()
    with pytest.raises(CommandError, match="Nothing was written: 1 of 1 rows refused"):
        call_command("import_plans", path)
    path.write_text("task,colour\nRotate keys,red\n")
    with pytest.raises(CommandError, match=r"Nothing was written\. Nobody knows the column “colour”"):
        call_command("import_plans", path, "--dry-run")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_sheet_with_a_document_type_is_not_unfolded(encoding):
    unfolds = '<?xml version="1.0" encoding="{}"?><!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", unfolds.format(encoding).encode(encoding))
    with pytest.raises(importing.Unreadable, match="holds what no such file needs"):
        importing.read("plans.xlsx", content.getvalue())
