"""The verbs of runbooks and their versions."""

from datetime import timedelta

import pytest

from portal.approvals.models import ApprovalRequest
from portal.approvals.policy import Refused as NotApproved
from portal.deadlines.models import Deadline
from portal.notify.models import Message
from portal.runbooks import services
from portal.runbooks.models import EnvironmentVariable, Procedure, RunbookVersion, Step
from portal.runbooks.policy import Refused
from portal.runbooks.services.lines import write_lines
from portal.runbooks.sweeps import sweep_runbooks
from tests.factories.accounts import make_user
from tests.factories.approvals import make_person
from tests.factories.directory import NOON, make_contact, make_system, make_team
from tests.factories.runbooks import TEXT, approve, make_published, make_runbook, publish, writer

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_a_version_is_in_force_once_a_second_person_approved_it():
    runbook = make_runbook()
    version = publish(runbook.versions.get())
    assert (version.state, version.published_at) == ("published", NOON)
    assert RunbookVersion.objects.in_force(NOON).get() == version


def test_nothing_is_published_without_an_approval():
    version, by = make_runbook().versions.get(), writer()
    make_person("Mona Manager", "manager")
    services.submit(version, by=by, at=NOON, reason="It is ready")
    with pytest.raises(NotApproved):
        services.publish(version, by=by, at=NOON)


def test_a_draft_is_not_published_at_all():
    with pytest.raises(Refused, match="Send it to review first"):
        services.publish(make_runbook().versions.get(), by=writer(), at=NOON)


def test_the_next_version_supersedes_the_one_before_it():
    runbook = make_published()
    services.begin(runbook, text=TEXT + "\nMore.\n", by=writer(), at=NOON + DAY)
    second = publish(runbook.versions.get(number=2), at=NOON + 2 * DAY)
    first = runbook.versions.get(number=1)
    assert (first.state, first.superseded_at) == ("superseded", NOON + 2 * DAY)
    assert RunbookVersion.objects.in_force(NOON + DAY).get() == first
    assert RunbookVersion.objects.in_force(NOON + 2 * DAY).get() == second
    assert not RunbookVersion.objects.in_force(NOON - DAY).exists()


def test_two_versions_are_never_written_at_once():
    runbook = make_runbook()
    with pytest.raises(Refused, match="Version 1 is being written already"):
        services.begin(runbook, text=TEXT, by=writer(), at=NOON)


def test_what_is_in_review_is_changed_only_once_it_is_taken_back():
    version, by = make_runbook().versions.get(), writer()
    approve(version, by=by)
    with pytest.raises(Refused, match="Only a draft can be changed"):
        services.write(version, text="# Other\n", by=by, at=NOON)
    back = services.take_back(version, by=by, at=NOON, reason="One step is wrong")
    assert (back.state, back.submitted_at) == ("draft", None)
    assert not ApprovalRequest.objects.live().exists()
    services.write(version, text="# Other\n", by=by, at=NOON)
    services.submit(version, by=by, at=NOON, reason="Once more")
    with pytest.raises(NotApproved):
        services.publish(version, by=by, at=NOON)


def test_text_that_looks_like_a_secret_is_refused():
    key = "AKIA" + "Q4ZT7XB2MN8K5WPD"
    with pytest.raises(Refused, match=r"Line .* an AWS access key"):
        make_runbook(text=f"# Desk\n\nUse {key} to sign in.\n")


def test_a_default_that_looks_like_a_secret_is_refused():
    table = (
        "| Variable | Required | Default | Description |\n|---|---|---|---|\n| DB_PASSWORD | Yes | hunter2xyz | x |\n"
    )
    with pytest.raises(Refused, match="a value of DB_PASSWORD"):
        make_runbook(text=f"# Desk\n\n## Environment Variables\n\n{table}")


def test_what_a_published_version_says_can_be_pointed_at():
    version = make_published().versions.get()
    procedures = Procedure.objects.filter(version=version)
    assert [p.title for p in procedures] == [
        "Startup Procedure",
        "Rotate the signing key",
        "Security Incident Response",
    ]
    startup = procedures[0]
    assert (startup.objective, startup.rollback) == ("Start the desk", "Stop both again")
    said = [(step.role, step.text, step.tick) for step in startup.steps.order_by("position")]
    assert said == [
        ("prerequisites", "Database is up", True),
        ("steps", "Start the queue", False),
        ("steps", "Start the web processes", False),
        ("validation", "Health checks pass", True),
    ]
    assert "systemctl start desk" in startup.steps.get(text="Start the web processes").detail
    issue = version.issues.get()
    assert [step.role for step in issue.steps.order_by("position")] == [
        "symptoms",
        "diagnosis",
        "resolution",
        "prevention",
    ]
    variables = EnvironmentVariable.objects.filter(version=version).values_list("name", "required", "default")
    assert list(variables) == [("DESK_URL", True, ""), ("DESK_DEBUG", False, "off")]
    assert version.configurationfiles.get().location == "/etc/desk/desk.toml"


def test_the_rows_of_a_version_can_be_made_anew_from_its_text():
    version = make_published().versions.get()
    before = Step.objects.count()
    write_lines(version)
    assert Step.objects.count() == before > 0


def test_a_review_is_due_a_period_after_the_last_one_and_its_keepers_are_told():
    team = make_team()
    keeper = make_contact("Kim Keeper", user=make_user("kim"))
    keeper.teams.add(team)
    runbook = make_published(owner=team, review_every_days=60)
    due = NOON + 60 * DAY
    assert sorted(Deadline.objects.filter(state="pending", kind="runbook.review").values_list("key", "due_at")) == [
        ("due", due),
        ("soon", due - 14 * DAY),
    ]
    assert sweep_runbooks(at=due - 14 * DAY) == 1
    assert sweep_runbooks(at=due) == 1
    titles = list(Message.objects.filter(lane="inbox", contact=keeper).order_by("pk").values_list("title", flat=True))
    assert titles[-2:] == [
        f"{runbook.title} is to be reviewed by Sat 16 Jan",
        f"Overdue: the review of {runbook.title}",
    ]
    assert sweep_runbooks(at=due + 6 * DAY) == 0
    assert sweep_runbooks(at=due + 7 * DAY) == 1
    assert sweep_runbooks(at=due + 14 * DAY) == 1


def test_confirming_that_it_is_true_begins_the_period_anew():
    runbook = make_published(review_every_days=60)
    services.confirm(runbook, by=writer(), at=NOON + 50 * DAY, reason="Walked through the startup")
    assert sweep_runbooks(at=NOON + 60 * DAY) == 0
    assert sweep_runbooks(at=NOON + 96 * DAY) == 1


def test_a_retired_runbook_has_nothing_in_force_and_no_review():
    runbook = make_published()
    services.retire(runbook, by=writer(), at=NOON + DAY, reason="The desk is gone")
    assert not RunbookVersion.objects.in_force(NOON + DAY).exists()
    assert not Deadline.objects.filter(state="pending", kind="runbook.review").exists()
    with pytest.raises(Refused, match="was retired"):
        services.begin(runbook, text=TEXT, by=writer(), at=NOON + DAY)


def test_what_the_portal_keeps_is_linked_and_not_copied():
    system = make_system("Ticket desk", rto=240, rpo=15, dashboard_url="https://dash.example.org/desk")
    system.owner = make_team()
    system.save()
    text = f"""# Desk
## System Information
- **System Name**: Ticket desk
- **Owner**: {system.owner.name}
## Disaster Recovery
### Recovery Time Objective (RTO)
≤ 4 h
### Recovery Point Objective (RPO)
1 hour
"""
    version = make_runbook(system=system, text=text).versions.get()
    assert "System Name" not in version.text
    assert "≤ 4 h" not in version.text
    assert "1 hour" in version.text  # it says otherwise than the portal: it stays, and is reported
    handed_out = services.handed_out(version)
    for words in (f"- **System Name**: {system.name}", "4 h", "<https://dash.example.org/desk>", "| Primary Owner |"):
        assert words in handed_out
    again = services.judge("desk.md", handed_out.encode(), runbook=version.runbook)
    assert again.verdict is services.Verdict.SAME
