"""The owner's three documents: every element of each is listed here, and is understood."""

import pytest

from portal.runbooks.markdown.layout import canonical
from portal.runbooks.markdown.reporting import read_file
from portal.runbooks.markdown.vocabulary import TEMPLATE, Place, Role
from tests.factories.runbooks import OWNERS


def understood(name):
    return read_file(name, (OWNERS / name).read_bytes())


@pytest.fixture(scope="module")
def template():
    return understood("runbook-template.md")


@pytest.fixture(scope="module")
def operations():
    return understood("operational-runbooks.md")


@pytest.fixture(scope="module")
def desk():
    return understood("support-ticket-operations-runbook.txt")


# The template.

SECTIONS = [words for _, _, words in TEMPLATE]
PROCEDURES = {
    "Startup Procedure": {
        Role.PREREQUISITES: ["Environment validated", "Dependencies available", "Configuration verified"],
        Role.VALIDATION: ["Health checks passing", "Monitoring active", "Logs showing normal operation"],
    },
    "Shutdown Procedure": {
        Role.PREREQUISITES: ["Notification sent to stakeholders", "Backup completed (if required)"],
        Role.VALIDATION: ["All processes stopped", "Resources released", "Final logs captured"],
    },
    "Backup Procedure": {
        Role.VALIDATION: ["Backup completed successfully", "Backup integrity verified", "Backup stored securely"],
    },
    "Deployment Procedure": {
        Role.PREREQUISITES: ["Code review complete", "Tests passing", "Security scan clean", "Approval obtained"],
    },
    "Incident Response Process": {
        Role.STEPS: ["**Detect & Assess**", "**Respond & Mitigate**", "**Resolve & Verify**", "**Post-Mortem**"],
    },
    "Security Incident Response": {
        Role.STEPS: [
            "**DO NOT** shut down systems (preserve evidence)",
            "Immediately contact security lead",
            "Follow SECURITY.md procedures",
            "Document all actions",
            "Preserve logs and evidence",
        ],
    },
}
LABELS = [
    *("**Objective**:", "**Prerequisites**:", "**Steps**:", "**Validation**:", "**Rollback**:", "**Frequency**:"),
    *("**Restore Test Schedule**:", "**Rollback Plan**:", "**Key Metrics to Monitor**:", "**Alert Thresholds**:"),
    *("**Alert Response Time**:", "**Symptoms**:", "**Diagnosis Steps**:", "**Resolution**:", "**Prevention**:"),
    *("**Evidence Collection**:", "**If security incident suspected**:"),
]
ITEMS = [
    *("Identify the issue", "Determine severity", "Engage appropriate team", "Follow relevant procedure"),
    *("Document actions taken", "Communicate status", "Implement fix", "Validate resolution", "Monitor for recurrence"),
    *("Document root cause", "Update runbook", "Implement preventive measures", "Store evidence in `/evidence/`"),
    *("Store in `/evidence/` directory", "Use evidence hash naming convention", "Maintain chain of custody"),
    "Document timestamps",
]


@pytest.mark.parametrize("title", SECTIONS)
def test_the_template_has_each_section(template, title):
    assert title in {found for _, found, _ in template.content.places}
    assert f"# {title}\n" in template.written


@pytest.mark.parametrize("title", PROCEDURES)
def test_the_template_has_each_procedure_with_its_steps(template, title):
    procedure = next(found for found in template.content.procedures if found.title == title)
    for role, texts in PROCEDURES[title].items():
        assert [step.text for step in procedure.of(role) if not step.depth] == texts


def test_the_steps_of_the_response_keep_their_points(template):
    process = next(p for p in template.content.procedures if p.place is Place.PROCESS)
    for text in ITEMS[:13]:
        assert any(text in step.detail or text == step.text for step in process.steps), text


@pytest.mark.parametrize("words", [*LABELS, *ITEMS])
def test_the_template_keeps_each_label_and_point(template, words):
    assert words in template.text


def test_objectives_of_the_procedures(template):
    said = {found.title: found.said.get(Role.OBJECTIVE) for found in template.content.procedures}
    assert said["Startup Procedure"] == "Start the system from a stopped state"
    assert said["Shutdown Procedure"] == "Gracefully stop the system"
    assert said["Backup Procedure"] == "Create system backup"


def test_system_information_contacts_and_response_times(template):
    content = template.content
    assert [fact.role for fact in content.facts] == [
        *(Role.SYSTEM_NAME, Role.VERSION, Role.OWNER, Role.LAST_UPDATED, Role.ON_CALL),
    ]
    assert [row["role"] for row in content.contacts] == ["Primary Owner", "Security Lead", "Operations Lead"]
    assert [(row["level"], row["time"]) for row in content.response_times] == [
        *(("Critical", "15 minutes"), ("High", "1 hour"), ("Medium", "4 hours"), ("Low", "Next business day")),
    ]


def test_severities_tasks_variables_and_history(template):
    content = template.content
    assert [(row["level"], row["response"], row["example"]) for row in content.severities] == [
        ("SEV-1", "15 min", "System down"),
        ("SEV-2", "1 hour", "Performance issues"),
        ("SEV-3", "4 hours", "Non-critical feature broken"),
        ("SEV-4", "1 day", "Cosmetic bug"),
    ]
    assert [(row["task"], row["frequency"]) for row in content.tasks] == [
        *(("Dependency updates", "Monthly"), ("Security patches", "As needed"), ("Log rotation", "Daily")),
        ("Certificate renewal", "Annual"),
    ]
    assert [row["required"] for row in content.variables] == ["Yes/No"]
    assert [(row["version"], row["changes"]) for row in content.history] == [("1.0", "Initial runbook")]


def test_an_entry_of_the_guide(template):
    assert [issue.title for issue in template.content.issues] == [] or template.content.issues[0].title.startswith(
        "Issue"
    )
    assert "#### Issue: [Problem Description]" in template.written


# Operational runbooks.

CADENCES = {
    "daily": ["System Health Monitoring Checklist"],
    "weekly": ["Capacity Planning and Scaling Review", "Security Patch Management"],
    "monthly": ["Comprehensive Security Audits", "System Optimization Reviews"],
    "emergency": ["System Failure Response", "Security Incident Response", "Communication Protocols"],
}
DUTIES = {
    "daily": ["Automated Health Checks", "Performance Baseline Validation", "Security Status Review",
              "Resource Utilization Analysis"],
    "weekly": ["Resource Utilization Trending", "Scaling Event Analysis", "Performance Optimization",
               "Security Update Assessment", "Patch Testing Protocols", "Deployment Coordination"],
    "monthly": ["Vulnerability Assessment", "Access Control Review", "Compliance Validation", "Performance Analysis",
                "Infrastructure Efficiency", "Operational KPI Reporting"],
    "emergency": ["Immediate Assessment", "Emergency Escalation", "Recovery Procedures", "Incident Classification",
                  "Immediate Containment", "Evidence Preservation", "Internal Escalation", "Customer Communication",
                  "Executive Briefing"],
}  # fmt: skip
KEPT = [
    *(
        "Documentation Users",
        "last_modified_date",
        "Weighted 40% System, 25% Security, 20% Performance, 15% User Impact",
    ),
    *("**Sales Integration**", "**Marketing Integration**", "**Product Integration**", "**Finance Integration**"),
    *("50% improvement target (from 120 minutes to 60 minutes)", "99.9% uptime with 25% improvement in MTTR"),
]


@pytest.mark.parametrize("cadence", DUTIES)
def test_the_duties_are_checklists(operations, cadence):
    checklist = next(found for found in operations.content.checklists if found.cadence == cadence)
    assert [step.text.split(":")[0] for step in checklist.steps] == DUTIES[cadence]
    assert list(dict.fromkeys(step.group for step in checklist.steps)) == CADENCES[cadence]


def test_the_thresholds_with_their_broken_sign_mended(operations):
    assert [(row["metric"], row["critical"]) for row in operations.content.thresholds] == [
        ("API Response Time", "<200ms (95th percentile)"),
        ("System Uptime", "≥99.9% availability"),
        ("Error Rate", "<0.1% across all endpoints"),
        ("Security Alerts", "<2 critical issues per day"),
    ]
    assert [(one.line, one.found, one.became) for one in operations.repairs] == [
        (21, "- System Uptime: â‰¥99.9% availability", "- System Uptime: ≥99.9% availability")
    ]


def test_the_figures_of_success(operations):
    said = " ".join(row["metric"] for row in operations.content.metrics)
    for words in ("Incident Response Time", "System Availability", "Security Compliance", "Cross-Domain Coordination"):
        assert words in said


@pytest.mark.parametrize("words", KEPT)
def test_the_rest_is_kept_in_its_section(operations, words):
    assert words in operations.text


# The ticket desk's runbook.


def test_the_common_procedures(desk):
    expected = [
        "Validate service health endpoints",
        "Check queue backlog and SLA breach reports",
        "Review audit logs for privileged changes",
        "Investigate integration job failures",
        "Perform maintenance windows if needed",
    ]
    checklist = next(found for found in desk.content.checklists if found.name == "Common procedures")
    assert [step.text for step in checklist.steps] == expected
    procedure = next(found for found in desk.content.procedures if found.title == "Common procedures")
    assert [step.text for step in procedure.steps] == expected


def test_the_incident_checklist_has_eighty_steps_of_five_teams_in_turn(desk):
    checklist = next(found for found in desk.content.checklists if found.name == "Incident response checklist")
    teams = ("oncall", "security", "platform", "support", "ops")
    assert [(step.text, step.team) for step in checklist.steps] == [
        (f"Validate component {n} and collect logs.", teams[(n - 1) % 5]) for n in range(1, 81)
    ]


def test_the_release_checklist_has_forty_parts_of_five_steps(desk):
    checklist = next(found for found in desk.content.checklists if found.name == "Release checklist")
    rest = ["Confirm database migrations", "Confirm seed data compatibility", "Confirm notification templates"]
    rest.append("Confirm access review if needed")
    assert [(step.group, step.text) for step in checklist.steps] == [
        (f"Checklist item {n}", text) for n in range(1, 41) for text in (f"Validate impacted module: module_{n}", *rest)
    ]


def test_its_other_words_are_kept(desk):
    for words in (
        "Use this checklist during incidents.",
        "include rollback steps.",
        "Reference links",
        "Change management",
    ):
        assert words in desk.text


@pytest.mark.parametrize(
    "name", ["runbook-template.md", "operational-runbooks.md", "support-ticket-operations-runbook.txt"]
)
def test_nothing_is_lost_and_reading_it_again_changes_nothing(name):
    found = understood(name)
    report = found.report()
    assert report["characters"]["read"] == report["characters"]["kept"]
    for kind in ("tables", "checkboxes", "numbered_steps"):
        assert report[kind]["found"] == report[kind]["structured"]
    assert canonical(found.text) == found.text
    again = read_file(name, found.written.encode())
    assert (again.text, again.written) == (found.text, found.written)
