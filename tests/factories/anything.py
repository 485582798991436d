"""A valid row of any model, for the tests that go over all of them."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import models

from tests.factories.accounts import make_user

NOON = datetime(2026, 11, 17, 12, tzinfo=UTC)
_numbers = count(500)  # beyond the references that reference data takes

# What the constraints of a model ask for beyond its types.
SPECIAL: dict[str, Any] = {
    "directory.Dependency": lambda: _dependency(),  # noqa: PLW0108 - it stands below
    "directory.RecoveryProof": lambda: {
        "subject_type": ContentType.objects.get(app_label="directory", model="system"),
        "subject_id": make("directory.System").pk,
    },
    "directory.OnCallShift": lambda: {"starts": NOON, "until": NOON + timedelta(hours=8)},
    "directory.Swap": lambda: {"starts": NOON, "until": NOON + timedelta(hours=8)},
    "incidents.Incident": lambda: {"reference": f"INC-{next(_numbers):06d}"},
    "approvals.ApprovalRequest": lambda: {
        "reference": f"APR-{next(_numbers):06d}",
        "kind": "severity",
        "subject_type": ContentType.objects.get(app_label="directory", model="severity"),
        "subject_id": make("directory.Severity", tone="red").pk,
        "requester_id": 1_000_000,
        "round": 1,
    },
    "approvals.Stage": lambda: {"needed": 1},
    "approvals.RuleStage": lambda: {"position": next(_numbers) % 20 + 1, "needed": 1},
    "approvals.ApprovalRule": lambda: {"kind": f"kind-{next(_numbers)}", "decide_within_hours": 24},
    "approvals.Decision": lambda: _decision(),  # noqa: PLW0108 - it stands below
    "incidents.EscalationTarget": lambda: {"kind": "team", "team": make("directory.Team")},
    "changes.Freeze": lambda: {"starts": NOON, "ends": NOON + timedelta(days=1)},
    "maintenance.Plan": lambda: {"reference": f"MNT-{next(_numbers):06d}"},
    "maintenance.Occurrence": lambda: {"reference": f"MNT-{next(_numbers):06d}.1", "plan": make("maintenance.Plan")},
    "maintenance.Window": lambda: {
        "reference": f"MNW-{next(_numbers):06d}",
        "starts_at": NOON,
        "ends_at": NOON + timedelta(hours=2),
    },
    "maintenance.BackupPlan": lambda: {"reference": f"BKP-{next(_numbers):06d}", "frequency_minutes": 60},
    "maintenance.RestoreTest": lambda: {
        "reference": f"RST-{next(_numbers):06d}",
        "ended_at": NOON + timedelta(hours=1),
        "system": make("directory.System"),
    },
    "changes.Change": lambda: {"reference": f"CHG-{next(_numbers):06d}"},
    "maintenance.RecoveryPlan": lambda: {"reference": f"RCP-{next(_numbers):06d}"},
    "maintenance.RecoveryStep": lambda: {"plan": make("maintenance.RecoveryPlan"), "position": 1, "minutes": 5},
    "maintenance.Exercise": lambda: {
        "reference": f"EXR-{next(_numbers):06d}",
        "plan": make("maintenance.RecoveryPlan"),
    },
    "maintenance.ExerciseStep": lambda: {"exercise": make("maintenance.Exercise"), "position": 1},
    "actions.ActionItem": lambda: {"reference": f"ACT-{next(_numbers):06d}"},
    "assurance.Engagement": lambda: {
        "starts": NOON,
        "ends": NOON + timedelta(days=9),
        "registers": ["incidents"],
        "auditor": make_user(roles=["auditor"], engaged=False),
    },
    "audit.TombstoneRequest": lambda: {"positions": [1]},
    "audit.Tombstone": lambda: {"request": make("audit.TombstoneRequest")},
    "assurance.Review": lambda: {"items_count": 99},
    "assurance.ReviewItem": lambda: {"number": next(_numbers) % 99 + 1, "review": make("assurance.Review")},
    "assurance.Verdict": lambda: _verdict(),  # noqa: PLW0108 - it stands below
    "assurance.Attestation": lambda: {"review": (review := make("assurance.Review")), "population": review.population},
    "records.Evidence": lambda: {
        "reference": f"EVD-{next(_numbers):06d}",
        "subject_type": ContentType.objects.get(app_label="directory", model="system"),
        "subject_id": make("directory.System").pk,
        "stored": make("records.EvidenceObject"),
    },
    "records.EvidenceObject": lambda: {"digest": f"{next(_numbers):064x}"},
    "records.CustodyEvent": lambda: {"kind": "verified", "result": "intact"},
    "records.EvidenceCheck": lambda: {"stored": make("records.Evidence").stored},
    "incidents.CommunicationRule": lambda: {"severity": make("directory.Severity")},
    "incidents.AudienceMember": lambda: {"audience": "customers", "contact": make("directory.Contact")},
    "incidents.Subscription": lambda: {"system": make("directory.System")},
    "incidents.IntakeSecret": lambda: {"slot": 1, "token": make("incidents.IntakeToken")},
    "runbooks.Step": lambda: {"procedure": make("runbooks.Procedure"), "role": "steps"},
    "runbooks.RunbookVersion": lambda: {"runbook": make("runbooks.Runbook"), "number": next(_numbers)},
    "runbooks.ChecklistRule": lambda: {"checklist": make("runbooks.Checklist")},
    "runbooks.ChecklistVersion": lambda: {"checklist": make("runbooks.Checklist"), "number": next(_numbers)},
    "runbooks.ChecklistStep": lambda: {"version": make("runbooks.ChecklistVersion"), "position": 1},
    "runbooks.ChecklistRun": lambda: {"reference": f"CHK-{next(_numbers):06d}", "plan": "A plan of its own"},
    "runbooks.RunStep": lambda: {"run": make("runbooks.ChecklistRun"), "position": 1},
    "runbooks.RunEvent": lambda: {"run": make("runbooks.ChecklistRun"), "what": "ticked"},
    "incidents.TypeRule": lambda: {"type": f"t-{next(_numbers)}"},
    "incidents.IntakeMapping": lambda: {"system": make("directory.System")},
}


def _dependency() -> dict[str, Any]:
    """Two systems, and a third one that either may be changed to: it comes first in every list of choices."""
    make("directory.System", name="A third one")
    return {"system": make("directory.System"), "needs": make("directory.System")}


def _decision() -> dict[str, Any]:
    """What a decision must prove: an open stage of a pending request, its digest, and a decider with its role."""
    decider = make_user(roles=["manager"])
    stage = make("approvals.Stage", role="Manager")
    stage.state = "open"
    stage.save()
    asked = stage.request
    copied = {name: getattr(asked, name) for name in ("digest", "round", "requester_id", "requester_name")}
    return {
        **copied,
        "request": asked,
        "stage": stage,
        "decider_id": decider.pk,
        "decided_by": str(decider),
        "decided_at": NOON,
    }


def _verdict() -> dict[str, Any]:
    """What a verdict must prove: an item of an open review, the account that it is about, and the next step."""
    item = make("assurance.ReviewItem")
    return {"review": item.review, "item": item, "about_id": item.about_id, "step": 1, "state": "attested"}


def make(model: Any, **given: Any) -> Any:
    """Save and return a row whose required fields hold something plain."""
    if isinstance(model, str):
        model = models.base.apps.get_model(model)
    if model is get_user_model():
        return make_user(**given)
    values = {**SPECIAL.get(model._meta.label, dict)(), **given}
    for field in model._meta.concrete_fields:
        if field.name not in values and not field.primary_key and _required(field):
            values[field.name] = some_value(field)
    return model._default_manager.create(**values)


def _required(field: Any) -> bool:
    return not (field.null or field.has_default() or (field.blank and field.empty_strings_allowed))


def some_value(field: Any) -> Any:
    """Return something that a field can hold; what it points at is made."""
    number = next(_numbers)
    if field.is_relation:
        target = field.remote_field.model
        kept = target._default_manager.first() if not hasattr(target, "history") else None
        return kept or make(target)
    if field.choices:
        return field.flatchoices[number % len(field.flatchoices) if field.unique else 0][0]
    for kind, value in _values(field, number):
        if isinstance(field, kind):
            return value
    raise TypeError(f"No value for {field}")


def _values(field: Any, number: int) -> list[tuple[Any, Any]]:
    text = f"{field.name}-{number}"[-(field.max_length or 200) :]
    return [
        (models.EmailField, f"person{number}@example.org"),
        ((models.CharField, models.TextField), text),
        (models.DateTimeField, NOON),
        (models.DateField, date(2026, 11, 17)),
        (models.TimeField, time(9)),
        (models.BooleanField, False),
        (models.IntegerField, 1000 + number),
        (models.FloatField, 1.0),
        (models.JSONField, {}),
        (models.BinaryField, b"x"),
        (models.UUIDField, uuid.uuid4()),
    ]
