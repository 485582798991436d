"""The empty template: what a new runbook begins with."""

from __future__ import annotations

from portal.runbooks.markdown.layout import canonical
from portal.runbooks.markdown.vocabulary import TEMPLATE, Place

_STEPS = "**Steps**:\n\n1. "
_CHECKED = "**Validation**:\n\n- [ ] "
_PROCEDURE = f"**Objective**: \n\n**Prerequisites**:\n\n- [ ] \n\n{_STEPS}\n\n{_CHECKED}"
_BODIES: dict[Place, str] = {
    Place.STARTUP: f"{_PROCEDURE}\n\n**Rollback**: ",
    Place.SHUTDOWN: _PROCEDURE,
    Place.BACKUP: f"**Objective**: \n\n**Frequency**: \n\n{_STEPS}\n\n{_CHECKED}\n\n**Restore Test Schedule**: ",
    Place.MONITORING: "**Key Metrics to Monitor**:\n\n- \n\n**Alert Thresholds**:\n\n"
    "| Metric | Warning | Critical | Action |\n|--------|---------|----------|--------|\n| | | | |",
    Place.ISSUES: "#### Issue: \n\n**Symptoms**:\n\n- \n\n"
    "**Diagnosis Steps**:\n\n1. \n\n**Resolution**:\n\n1. \n\n**Prevention**:\n\n- ",
    Place.SECURITY: _STEPS,
    Place.TASKS: "| Task | Frequency | Owner |\n|------|-----------|-------|\n| | | |",
    Place.DEPLOYMENT: f"**Prerequisites**:\n\n- [ ] \n\n{_STEPS}\n\n**Rollback Plan**:\n\n1. ",
    Place.FILES: "| File | Location | Purpose | Backup |\n|------|----------|---------|--------|\n| | | | |",
    Place.VARIABLES: "| Variable | Required | Default | Description |\n"
    "|----------|----------|---------|-------------|\n| | | | |",
    Place.RECOVERY_STEPS: "1. ",
    Place.COMMANDS: "```bash\n```",
    Place.HISTORY: "| Version | Date | Author | Changes |\n|---------|------|--------|---------|\n| | | | |",
}


def blank(title: str) -> str:
    """Return the template with a title and nothing filled in."""
    parts = [f"# {title}"]
    for place, level, words in TEMPLATE:
        parts.append(f"{'#' * level} {words}")
        if place in _BODIES:
            parts.append(_BODIES[place])
    return canonical("\n\n".join(parts) + "\n")
