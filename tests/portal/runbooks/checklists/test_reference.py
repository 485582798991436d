"""The owner's own checklists stand in every portal, each step with its team and the page that it speaks of."""

import pytest

from portal.audit.actor import acting
from portal.runbooks.checklists import reference
from portal.runbooks.checklists.enums import Frequency
from portal.runbooks.checklists.pages import PAGES
from portal.runbooks.models import Checklist, ChecklistRule, ChecklistStep
from tests.factories.directory import NOON

pytestmark = pytest.mark.django_db


def steps_of(slug):
    return ChecklistStep.objects.filter(version__checklist__slug=slug).order_by("position").select_related("team")


def test_the_incident_checklist_has_eighty_components_owned_in_turn():
    steps = list(steps_of("incident-response"))
    assert [step.text for step in steps] == [f"Validate component {n} and collect logs." for n in range(1, 81)]
    owners = ("oncall", "security", "platform", "support", "ops")
    assert [step.team.slug for step in steps] == [owners[n % 5] for n in range(80)]


def test_the_common_procedures_stand_in_order_with_their_pages():
    assert [(step.text, step.page) for step in steps_of("common-procedures")] == [
        ("Validate service health endpoints", "health"),
        ("Check queue backlog and SLA breach reports", "status"),
        ("Review audit logs for privileged changes", "trail"),
        ("Investigate integration job failures", "sources"),
        ("Perform maintenance windows if needed", "maintenance"),
    ]


def test_the_release_checklist_asks_five_things_of_forty_modules():
    texts = [step.text for step in steps_of("release")]
    assert len(texts) == 200
    assert sum(text.startswith("Validate impacted module: module_") for text in texts) == 40


@pytest.mark.parametrize(
    ("frequency", "slugs"),
    [
        (Frequency.DAILY, ["daily-operations"]),
        (Frequency.WEEKLY, ["weekly-operations"]),
        (Frequency.MONTHLY, ["monthly-operations"]),
        (
            Frequency.EMERGENCY,
            ["emergency-communication", "incident-response", "security-incident-response", "system-failure-response"],
        ),
    ],
)
def test_the_duties_of_each_rhythm_stand(frequency, slugs):
    assert sorted(Checklist.objects.filter(frequency=frequency).values_list("slug", flat=True)) == slugs


def test_every_step_leads_to_a_known_page_or_to_none():
    assert set(ChecklistStep.objects.values_list("page", flat=True)) <= {"", *PAGES}


def test_loading_again_makes_nothing_and_leaves_what_was_edited():
    checklist = Checklist.objects.get(slug="daily-operations")
    with acting(by="system: tests", reason="Other words"):
        checklist.name = "Every morning"
        checklist.save()
        reference.load(by="system: tests", at=NOON)
    assert Checklist.objects.get(slug="daily-operations").name == "Every morning"
    assert Checklist.objects.count() == len(reference.CHECKLISTS)


def test_major_and_security_incidents_start_theirs():
    rules = ChecklistRule.objects.order_by("pk").values_list("checklist__slug", "severity__code", "type")
    assert list(rules) == [
        ("incident-response", "SEV-1", ""),
        ("incident-response", "SEV-2", ""),
        ("security-incident-response", None, "security"),
    ]
