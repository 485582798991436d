"""`manage.py import_runbook` and `export_runbook`."""

import json

import pytest
from django.core.management import CommandError, call_command

from portal.runbooks.models import Checklist, Runbook, RunbookVersion
from tests.factories.directory import make_system, make_team
from tests.factories.runbooks import OWNERS, RUNBOOKS, TEXT, make_published

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "desk.md"
    path.write_text(TEXT)
    return path


def test_a_file_becomes_a_draft(file, capsys):
    call_command("import_runbook", file, system=make_system("desk").slug)
    runbook = Runbook.objects.get()
    version = runbook.versions.get()
    assert (runbook.title, version.state, version.source) == ("Ticket desk", "draft", "desk.md")
    assert runbook.system is not None
    assert (
        "makes a runbook RBK-000001. 2 of 2 tables, 2 of 2 checkboxes, 8 of 8 numbered steps" in capsys.readouterr().out
    )


def test_the_same_file_twice_changes_nothing(file, capsys):
    call_command("import_runbook", file)
    call_command("import_runbook", file)
    assert RunbookVersion.objects.count() == 1
    assert RunbookVersion.history.count() == 1
    assert "changes nothing RBK-000001" in capsys.readouterr().out


def test_another_text_of_the_same_file_changes_the_draft(file):
    call_command("import_runbook", file)
    file.write_text(TEXT.replace("Start the queue", "Start the queue and wait"))
    call_command("import_runbook", file)
    assert "Start the queue and wait" in RunbookVersion.objects.get().text


def test_a_published_version_is_followed_by_a_draft(file):
    runbook = make_published()
    file.write_text(TEXT.replace("Start the queue", "Start the queue and wait"))
    call_command("import_runbook", file)
    assert list(runbook.versions.order_by("number").values_list("state", flat=True)) == ["published", "draft"]


def test_a_dry_run_saves_nothing(file, capsys):
    call_command("import_runbook", file, dry_run=True)
    assert not Runbook.objects.exists()
    assert "Would do: makes a runbook" in capsys.readouterr().out


def test_the_report_has_an_object_for_each_file(file, tmp_path):
    report = tmp_path / "report.json"
    call_command("import_runbook", file, *sorted(RUNBOOKS.glob("*.md")), report=report, dry_run=True)
    found = json.loads(report.read_text())
    assert len(found) == len(list(RUNBOOKS.glob("*.md"))) + 1
    for one in found:
        assert one.keys() >= {
            *("file", "tables", "checkboxes", "numbered_steps", "characters", "sections", "kept_as_text"),
            *("conflicts", "repaired"),
        }
        for kind in ("tables", "checkboxes", "numbered_steps"):
            assert one[kind].keys() == {"found", "structured"}
        assert one["characters"]["read"] == one["characters"]["kept"]
    assert found[0]["tables"] == {"found": 2, "structured": 2}


def test_what_says_otherwise_than_the_portal_is_a_conflict(tmp_path):
    system = make_system("desk", rto=60)
    path, report = tmp_path / "desk.md", tmp_path / "report.json"
    path.write_text("# Desk\n\n**RTO**: 4h business-hours / 8h after-hours\n\n- RPO: Test pending\n")
    call_command("import_runbook", path, system=system.name, report=report, dry_run=True)
    assert [(c["line"], c["what"], c["text"], c["portal"]) for c in json.loads(report.read_text())[0]["conflicts"]] == [
        (3, "RTO", "4h business-hours / 8h after-hours", "1 h"),
        (5, "RPO", "Test pending", "nothing"),
    ]


def test_a_file_with_a_secret_is_refused_and_the_others_are_kept(file, tmp_path):
    bad = tmp_path / "bad.md"
    bad.write_text("# Bad\n\nKey: AKIA" + "Q4ZT7XB2MN8K5WPD\n")
    with pytest.raises(CommandError, match="1 of 2 files were refused"):
        call_command("import_runbook", bad, file)
    assert Runbook.objects.get().title == "Ticket desk"


@pytest.mark.parametrize(("files", "options", "words"), [
    (["nowhere.md"], {}, "cannot be read"),
    (["nowhere.md"], {"system": "nobody"}, "There is no system nobody"),
])  # fmt: skip
def test_what_is_not_there_is_said(files, options, words):
    with pytest.raises(CommandError, match=words):
        call_command("import_runbook", *files, **options)


def test_an_export_imported_again_changes_nothing(file, tmp_path, capsys):
    call_command("import_runbook", file, system=make_system("desk", rto=60).slug)
    capsys.readouterr()
    call_command("export_runbook", "rbk-000001")
    file.write_text(capsys.readouterr().out)
    call_command("import_runbook", file, system="desk")
    assert "changes nothing" in capsys.readouterr().out
    call_command("export_runbook", "RBK-000001", number=1)
    assert capsys.readouterr().out == file.read_text()


def test_a_runbook_that_is_not_there_is_not_handed_out():
    with pytest.raises(CommandError, match="There is no runbook RBK-9"):
        call_command("export_runbook", "RBK-9")


@pytest.mark.parametrize(("document", "names"), [
    ("support-ticket-operations-runbook.txt", {"Common procedures": 5, "Release checklist": 200}),
    ("operational-runbooks.md", {"Daily Operations Procedures": 4, "Emergency Procedures": 9}),
])  # fmt: skip
def test_the_checklists_of_the_owners_documents_become_templates(document, names):
    system = make_system("desk", owner=make_team())
    call_command("import_runbook", OWNERS / document, system=system.slug)
    for name, steps in names.items():
        checklist = Checklist.objects.get(name=name)
        assert checklist.versions.get().steps.count() == steps
    count = Checklist.objects.count()
    call_command("import_runbook", OWNERS / document, system=system.slug)
    assert Checklist.objects.count() == count


def test_the_owners_incident_checklist_stands_already(tmp_path):
    report = tmp_path / "report.json"
    file = OWNERS / "support-ticket-operations-runbook.txt"
    call_command("import_runbook", file, system=make_system("desk", owner=make_team()).slug, report=report)
    found = {one["name"]: (one["steps"], one["outcome"]) for one in json.loads(report.read_text())[0]["checklists"]}
    assert found["Incident response checklist"] == (80, "stands already")
