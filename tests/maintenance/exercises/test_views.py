"""The pages of recovery plans and exercises: written line by line, worked on a board, printed as a proof."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from incidents.models import Incident, TypeRule
from maintenance import services as maintenance
from maintenance.exercises import services
from maintenance.exercises.enums import ExerciseState, StepState
from maintenance.models import Exercise, RecoveryPlan
from maintenance.policy import Refused
from portal.audit.actor import acting
from portal.lib import clock
from portal.runbooks import services as runbooks
from tests.factories.directory import make_calendar, make_contact, make_severity, make_system
from tests.factories.exercises import WHY, make_exercise, make_recovery_draft, make_recovery_plan, promise, step, work
from tests.factories.maintenance import make_member
from tests.factories.runbooks import TEXT, make_published, publish, writer

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def at():
    return clock.now().replace(microsecond=0)


@pytest.fixture
def maren(client):
    user, contact = make_member("Maren Holt", "manager")
    client.force_login(user)
    return contact


def words(plan_form):
    return {"once": str(uuid.uuid4()), "reason": WHY, **plan_form}


def lines(*rows, initial=0):
    found = {"step-TOTAL_FORMS": len(rows), "step-INITIAL_FORMS": initial}
    for number, (text, minutes, recovers) in enumerate(rows):
        found |= {f"step-{number}-text": text, f"step-{number}-minutes": minutes}
        if recovers:
            found[f"step-{number}-recovers"] = "on"
    return found


def test_a_plan_is_written_line_by_line_once_and_put_in_force(client, maren):
    system, url = make_system("db", name="Ticket database"), reverse("maintenance:draft-recovery-plan")
    assert client.get(url).status_code == 200
    given = words({"title": "Database", "system": system.pk, "owner": maren.pk, "manager": maren.pk, "every_months": 6})
    given |= lines(("Fetch it", "10", True), ("", "", True), ("Load it", "20", True))
    pages = [client.post(url, given) for _ in range(2)]
    plan = RecoveryPlan.objects.get()
    assert [page.url for page in pages] == [plan.get_absolute_url()] * 2
    assert [(one.position, one.text, one.minutes) for one in plan.steps_now()] == [
        (1, "Fetch it", 10),
        (2, "Load it", 20),
    ]
    client.post(f"{plan.get_absolute_url()}put-in-force/", {"once": str(uuid.uuid4()), "reason": WHY})
    plan.refresh_from_db()
    assert plan.is_in_force
    assert client.get(plan.get_absolute_url()).status_code == 200
    assert client.get(reverse("maintenance:recovery-plans")).status_code == 200


def test_a_step_without_an_estimate_is_said_beside_it(client, maren):
    system = make_system("db", name="Ticket database")
    given = words({"title": "Database", "system": system.pk, "owner": maren.pk, "manager": maren.pk, "every_months": 6})
    page = client.post(reverse("maintenance:draft-recovery-plan"), given | lines(("Fetch it", "", True)))
    assert page.status_code == 422
    assert "Say how many minutes it should take." in page.content.decode()


def test_a_change_of_the_plan_is_a_new_version(client, maren, at):
    with acting(by="system: test", reason=WHY, at=at):
        plan = make_recovery_draft(owner=maren, manager=maren, at=at)
    url = reverse("maintenance:edit-recovery-plan", args=[plan.reference])
    assert "Load it into a clean database" in client.get(url).content.decode()
    given = {"title": plan.title, "system": plan.system_id, "owner": maren.pk, "manager": maren.pk, "every_months": 12}
    client.post(url, words(given) | lines(("Only this", "5", True), initial=4))
    plan.refresh_from_db()
    assert (plan.version, plan.steps_now().get().text) == (2, "Only this")


RECOVERY = """

## Disaster Recovery

### Disaster Recovery Steps

1. Fetch the newest backup
2. Load it into a clean database
"""


def test_a_plan_begins_with_the_recovery_steps_of_a_runbook_that_is_chosen(client, maren):
    system = make_system("db", name="Ticket database")
    runbook = make_published("Ticket database", system=system, text=TEXT + RECOVERY)
    make_published("Mail", text=TEXT)
    url = reverse("maintenance:draft-recovery-plan")
    page = client.get(url).content.decode()
    assert "Ticket database, version 1 (2 steps)" in page
    assert "Mail, version 1" not in page
    page = client.get(url, {"runbook": runbook.reference}).content.decode()
    assert "The 2 recovery steps of" in page
    assert "Load it into a clean database" in page
    version = runbook.versions.get()
    given = words({"title": "Database", "system": system.pk, "owner": maren.pk, "manager": maren.pk, "every_months": 6})
    client.post(url, given | lines(("Fetch it", "10", True)) | {"runbook_version": version.pk})
    assert RecoveryPlan.objects.get().runbook_version == version


def test_a_plan_keeps_the_version_that_it_was_made_from_and_says_when_the_runbook_has_moved_on(client, maren, at):
    runbook = make_published("Ticket database", text=TEXT + RECOVERY)
    with acting(by="system: test", reason=WHY, at=at):
        plan = make_recovery_draft(owner=maren, manager=maren, at=at, runbook_version=runbook.versions.get())
    assert "moved on" not in client.get(plan.get_absolute_url()).content.decode()
    runbooks.begin(runbook, text=f"{TEXT}{RECOVERY}3. Check it\n", by=writer(), at=at)
    publish(runbook.versions.get(number=2), at=at)
    assert "Its runbook has moved on." in client.get(plan.get_absolute_url()).content.decode()
    given = {"title": plan.title, "system": plan.system_id, "owner": maren.pk, "manager": maren.pk, "every_months": 12}
    given |= {"runbook_version": plan.runbook_version_id}
    url = reverse("maintenance:edit-recovery-plan", args=[plan.reference])
    client.post(url, words(given) | lines(("Only this", "5", True), initial=4))
    plan.refresh_from_db()
    assert (plan.version, plan.runbook_version.number) == (2, 1)


def drill_of(maren, at, kind="drill"):
    with acting(by="system: test", reason=WHY, at=at):
        plan = make_recovery_plan(owner=maren, manager=maren, at=at)
        return make_exercise(plan, kind=kind, at=at, lead=maren, scheduled_for=at)


def test_a_drill_begins_with_an_incident_on_the_real_clocks_and_both_lead_to_one_another(client, maren, at):
    severity, exercise = make_severity(2), drill_of(maren, at)
    url = exercise.get_absolute_url()
    assert "Play an incident with it" in client.get(f"{url}start/").content.decode()
    given = {"once": str(uuid.uuid4()), "severity": severity.pk, "title": "The tickets are gone"}
    assert [client.post(f"{url}start/", given).status_code for _ in range(2)] == [302, 302]
    exercise.refresh_from_db()
    drill = Incident.objects.get()
    assert (drill.is_drill, drill.title, drill.severity) == (True, "The tickets are gone", severity)
    assert (exercise.drill, exercise.started_at) == (drill.reference, drill.declared_at)
    assert f'href="{drill.get_absolute_url()}"' in client.get(url).content.decode()
    assert f'href="{url}"' in client.get(drill.get_absolute_url()).content.decode()
    client.post(f"{url}call-off/", {"once": str(uuid.uuid4()), "reason": "Enough"})
    assert "is still open" in client.get(url).content.decode()


def test_a_restricted_drill_is_not_named_where_others_read_of_it(client, maren, at):
    with acting(by="system: test", reason=WHY, at=at):
        TypeRule.objects.update_or_create(type="operational", defaults={"restricted": True})
    severity, exercise = make_severity(2), drill_of(maren, at)
    services.start(exercise, by="Maren", at=at, severity=severity, title="The tickets are gone")
    drill = Incident.objects.get()
    assert drill.restricted
    user, _ = make_member("Joel Brandt")
    client.force_login(user)
    page = client.get(exercise.get_absolute_url()).content.decode()
    assert "started a restricted drill with it" in page
    assert drill.reference not in page


def test_a_drill_can_begin_with_its_steps_alone(client, maren, at):
    exercise = drill_of(maren, at)
    client.post(f"{exercise.get_absolute_url()}start/", {"once": str(uuid.uuid4())})
    exercise.refresh_from_db()
    assert (exercise.state, exercise.drill) == (ExerciseState.RUNNING, "")
    assert not Incident.objects.exists()


def test_whoever_may_not_start_drills_is_told_so_and_pages_nobody(client, maren, at):
    severity, exercise = make_severity(2), drill_of(maren, at)
    user, _ = make_member("Joel Brandt")
    client.force_login(user)
    url = exercise.get_absolute_url()
    assert "You may not page people for a drill" in client.get(f"{url}start/").content.decode()
    client.post(f"{url}start/", {"once": str(uuid.uuid4()), "severity": severity.pk, "title": "Gone"})
    assert not Incident.objects.exists()


def test_another_kind_of_exercise_pages_nobody(client, maren, at):
    severity, exercise = make_severity(2), drill_of(maren, at, kind="full")
    assert "Play an incident" not in client.get(f"{exercise.get_absolute_url()}start/").content.decode()
    with pytest.raises(Refused, match="Only an exercise of the kind drill"):
        services.start(exercise, by="Maren", at=at, severity=severity, title="Gone")


def test_an_exercise_is_worked_on_its_board_and_printed_as_a_proof(client, maren, at):
    with acting(by="system: test", reason=WHY, at=at):
        plan = make_recovery_plan(owner=maren, manager=maren, at=at)
        promise(plan.system)
        exercise = make_exercise(plan, at=at, lead=maren, scheduled_for=at)
    url = exercise.get_absolute_url()
    assert "copied at the start" in client.get(url).content.decode()
    assert client.post(f"{url}start/", {"once": str(uuid.uuid4())}).status_code == 302
    running = client.get(url).content.decode()
    assert "Running for" in running
    assert "back after 45 min by estimate, all steps take 60 min" in running
    once = {"once": str(uuid.uuid4())}
    assert [client.post(f"{url}1/start/", once).status_code for _ in range(2)] == [302, 302]
    client.post(f"{url}1/done/", {"once": str(uuid.uuid4()), "note": "It went well"})
    assert step(exercise, 1).state == StepState.DONE
    refused = client.post(f"{url}1/done/", {"once": str(uuid.uuid4())})
    assert refused.status_code == 422
    assert "It is done already." in refused.content.decode()
    client.post(f"{url}2/skip/", {"once": str(uuid.uuid4()), "reason": "Not needed today"})
    for number in (3, 4):
        client.post(f"{url}{number}/start/", {"once": str(uuid.uuid4())})
        client.post(f"{url}{number}/done/", {"once": str(uuid.uuid4())})
    client.post(f"{url}end/", {"once": str(uuid.uuid4()), "summary": "The key was missing."})
    ended = Exercise.objects.get()
    assert (ended.state, ended.verdict) == (ExerciseState.ENDED, "unknown")
    proof = client.get(reverse("maintenance:exercise-proof", args=[ended.reference])).content.decode()
    assert ended.digest in proof
    assert "What stands in Watchbook now gives the same." in proof
    assert "The key was missing." in proof
    assert client.get(reverse("maintenance:exercises")).status_code == 200
    assert f"/actions/new/?about={ended.reference}" in client.get(url).content.decode()


def test_what_was_altered_after_the_end_is_seen_on_the_proof(client, maren, at):
    with acting(by="system: test", reason=WHY, at=at):
        exercise = make_exercise(at=at - 90 * MINUTE, started=True)
        services.end(exercise, by="Joel", at=work(exercise, 1, 2, 3, 4, at=at - 90 * MINUTE))
        one = step(exercise, 2)
        one.note = "Written later"
        one.save()
    proof = client.get(reverse("maintenance:exercise-proof", args=[exercise.reference])).content.decode()
    assert "the record was altered after it ended" in proof


def test_people_who_have_left_are_flagged(client, maren, at):
    joel = make_contact("Joel Brandt")
    with acting(by="system: test", reason=WHY, at=at):
        plan = make_recovery_plan(owner=maren, manager=maren, at=at)
        exercise = make_exercise(plan, at=at, lead=joel, scheduled_for=at + MINUTE)
        joel.active = False
        joel.save()
    assert "Joel Brandt has left" in client.get(exercise.get_absolute_url()).content.decode().replace("</b>", "")


def test_a_day_that_is_not_worked_is_said_on_the_form_and_taken_once_it_is_meant(client, maren, at):
    plan = make_recovery_plan(at=at)
    lead = make_contact("Joel Brandt")
    address = f"{plan.get_absolute_url()}schedule/"
    assert "any_day" not in client.get(address).context["form"].fields
    with acting(by="system: test", reason=WHY, at=at):
        values = {"shift": "next", "calendar": make_calendar("London")}
        maintenance.revise(plan.upkeep, values, by="system: test", at=at, reason=WHY)
    saturday = at + timedelta(days=5 - at.weekday() + 7)
    form = {"once": uuid.uuid4(), "kind": "full", "lead": lead.pk, "scheduled_for": f"{saturday:%Y-%m-%dT12:00}"}
    refused = client.post(address, form)
    assert refused.status_code == 422
    assert "is not worked (weekend)" in refused.content.decode()
    assert client.post(address, {**form, "any_day": "on"}).status_code == 302
    assert Exercise.objects.get().scheduled_for.weekday() == 5


def test_whoever_may_not_lead_writes_no_plan(client, at):
    user, _ = make_member("Joel Brandt")
    client.force_login(user)
    assert client.get(reverse("maintenance:draft-recovery-plan")).status_code == 403
    with acting(by="system: test", reason=WHY, at=at):
        plan = make_recovery_plan(at=at)
    assert client.get(plan.get_absolute_url()).status_code == 200
    assert (
        client.post(f"{plan.get_absolute_url()}retire/", {"once": str(uuid.uuid4()), "reason": "x"}).status_code == 403
    )
    assert client.get(f"{plan.get_absolute_url()}explode/").status_code == 403
