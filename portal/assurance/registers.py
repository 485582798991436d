"""What each kind of record holds, and how a record is known to belong to a system and to a time.

This is data: `OPENS` says which models an engagement opens, `REACH` how far it reaches into each. What stands in no
line of `REACH` is read only in an engagement without limits, so that a new table never leaks by being forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from types import MappingProxyType

from django.apps import apps

from portal.assurance.enums import Register

# Models by "app.Model", * for any characters. Timeline notes, links and periods belong to the records they are about.
OPENS: MappingProxyType[Register, tuple[str, ...]] = MappingProxyType(
    {
        Register.INCIDENTS: ("incidents.*", "records.*", "actions.*"),
        Register.CHANGES: ("changes.*", "records.*", "actions.*"),
        Register.MAINTENANCE: ("maintenance.*", "records.*", "actions.*"),
        Register.APPROVALS: ("approvals.*",),
        Register.RUNBOOKS: ("runbooks.*",),
        Register.DIRECTORY: ("directory.*",),
        Register.ACCOUNTS: ("accounts.*", "auth.Group", "axes.Access*"),
        Register.MESSAGES: ("notify.*", "deadlines.*"),
        Register.TRAIL: ("audit.*", "assurance.ExportRule"),
        Register.REVIEWS: ("assurance.Review*", "assurance.Verdict", "assurance.Attestation"),
    }
)
# What every engagement opens: the auditor's own engagements. One's own exports need no permission.
ALWAYS = ("assurance.Engagement", "assurance.GrantedRecord")


@dataclass(frozen=True, slots=True)
class Reach:
    """How rows of one model are narrowed.

    `systems` is the lookup that leads to their systems; with `shared`, rows without a system concern all of them.
    `moment` is the lookup of when they began, and with `until` of when they ended: then they belong to every time that
    they touch. `about` are pairs of lookups to the type and id of a record that they are about, each of which must lie
    in the scope. `own` leads to the account that alone may read them. `record` marks what others are about.
    """

    systems: str = ""
    shared: bool = False
    moment: str = ""
    until: str = ""
    about: tuple[tuple[str, str], ...] = ()
    own: str = ""
    record: bool = False


ANYTIME = Reach()
_OF_INCIDENT = Reach(systems="incident__systems", moment="incident__declared_at")
_OF_CHANGE = Reach(systems="change__systems", moment="change__requested_at")
_OF_REQUEST = Reach(about=(("request__subject_type", "request__subject_id"),), moment="request__asked_at")
_OF_RUN = Reach(about=(("run__subject_type", "run__subject_id"),), moment="run__started_at")
_OF_VERSION = Reach(systems="version__runbook__system", shared=True)
_SIGN_IN = Reach(moment="attempt_time")

REACH: MappingProxyType[str, Reach] = MappingProxyType(
    {
        "incidents.Incident": Reach(systems="systems", moment="declared_at", record=True),
        "incidents.Responder": _OF_INCIDENT,
        "incidents.AccessGrant": _OF_INCIDENT,
        "incidents.TypeRule": ANYTIME,
        "incidents.ContainmentProposal": ANYTIME,
        "incidents.ContainmentStep": _OF_INCIDENT,
        "incidents.Escalation": _OF_INCIDENT,
        "incidents.Alert": _OF_INCIDENT,
        "incidents.IntakeDelivery": Reach(systems="incident__systems", moment="received_at"),
        "incidents.Communication": _OF_INCIDENT,
        "incidents.Subscription": Reach(systems="system", moment="started_at"),
        "incidents.AudienceMember": Reach(systems="system", shared=True),
        "incidents.CommunicationRule": ANYTIME,
        "incidents.CommunicationTemplate": ANYTIME,
        "incidents.EscalationPolicy": Reach(systems="systems", shared=True, record=True),
        "incidents.EscalationStep": Reach(systems="policy__systems", shared=True),
        "incidents.EscalationTarget": Reach(systems="step__policy__systems", shared=True),
        "incidents.IntakeToken": ANYTIME,
        "incidents.IntakeMapping": Reach(systems="system", shared=True),
        "incidents.PayloadLine": ANYTIME,
        "incidents.StatusWord": ANYTIME,
        "incidents.IntakeSecret": ANYTIME,
        "incidents.SeenSignature": ANYTIME,
        "incidents.TopicSubscription": ANYTIME,
        "incidents.Heartbeat": ANYTIME,
        "directory.System": Reach(systems="pk", record=True),
        "directory.EmergencyContact": Reach(systems="system"),
        "directory.RecoveryObjective": Reach(systems="system"),
        "directory.Dependency": Reach(systems="system"),
        "directory.RecoveryProof": Reach(systems="system", moment="at"),
        "directory.RecoveryStanding": Reach(systems="system"),
        "directory.OnCallShift": Reach(moment="starts", until="until"),
        "directory.Schedule": ANYTIME,
        "directory.Layer": Reach(moment="starts", until="until"),
        "directory.LayerMember": Reach(moment="layer__starts", until="layer__until"),
        "directory.Swap": Reach(moment="starts", until="until"),
        "directory.CalendarFeed": ANYTIME,
        "directory.SheetDelivery": ANYTIME,
        "directory.Calendar": ANYTIME,
        "directory.CalendarDay": ANYTIME,
        "directory.Channel": ANYTIME,
        "directory.Contact": ANYTIME,
        "directory.ContactMethod": ANYTIME,
        "directory.NotificationRule": ANYTIME,
        "directory.Severity": ANYTIME,
        "directory.SeverityClock": ANYTIME,
        "directory.Team": ANYTIME,
        "deadlines.Deadline": Reach(about=(("subject_type", "subject_id"),)),
        "deadlines.Sweep": ANYTIME,
        "notify.Message": Reach(about=(("about_type", "about_id"),), moment="created_at"),
        "notify.ActionLink": Reach(about=(("message__about_type", "message__about_id"),), moment="created_at"),
        "notify.Turn": ANYTIME,
        "notify.Verification": Reach(moment="created_at"),
        "records.Counter": ANYTIME,
        "records.Note": Reach(about=(("subject_type", "subject_id"),)),
        "records.Period": Reach(systems="system", moment="starts", until="ends", about=(("record_type", "record_id"),)),
        "records.Demand": Reach(systems="system", shared=True, moment="asked_at"),
        "records.Evidence": Reach(about=(("subject_type", "subject_id"),), moment="collected_at", record=True),
        "records.CustodyEvent": Reach(about=(("evidence__subject_type", "evidence__subject_id"),)),
        "records.EvidenceObject": ANYTIME,  # read where one of its items may be
        "records.EvidenceCheck": ANYTIME,
        "records.EvidenceRule": ANYTIME,
        "records.Link": Reach(about=(("from_type", "from_id"), ("to_type", "to_id"))),
        "approvals.ApprovalRule": ANYTIME,
        "approvals.RuleStage": ANYTIME,
        "approvals.ApprovalRequest": Reach(about=(("subject_type", "subject_id"),), moment="asked_at", record=True),
        "approvals.Stage": _OF_REQUEST,
        "approvals.Decision": _OF_REQUEST,
        "runbooks.Runbook": Reach(systems="system", shared=True, record=True),
        "runbooks.RunbookVersion": Reach(systems="runbook__system", shared=True),
        "runbooks.Checklist": ANYTIME,
        "runbooks.ChecklistVersion": ANYTIME,
        "runbooks.ChecklistStep": ANYTIME,
        "runbooks.ChecklistRule": Reach(systems="system", shared=True),
        "runbooks.ChecklistRun": Reach(about=(("subject_type", "subject_id"),), moment="started_at", record=True),
        "runbooks.RunStep": _OF_RUN,
        "runbooks.ConfigurationMark": Reach(systems="system", moment="marked_at"),
        "runbooks.ConfigurationRule": ANYTIME,
        "runbooks.RunEvent": _OF_RUN,
        "runbooks.Procedure": _OF_VERSION,
        "runbooks.Issue": _OF_VERSION,
        "runbooks.Step": _OF_VERSION,
        "runbooks.Threshold": _OF_VERSION,
        "runbooks.ConfigurationFile": _OF_VERSION,
        "runbooks.EnvironmentVariable": _OF_VERSION,
        "runbooks.Command": _OF_VERSION,
        "runbooks.LogLocation": _OF_VERSION,
        "runbooks.Passage": _OF_VERSION,
        "changes.Change": Reach(systems="systems", moment="requested_at", record=True),
        "changes.ChangeStep": _OF_CHANGE,
        "changes.Cell": _OF_CHANGE,
        "changes.GateReport": _OF_CHANGE,
        "changes.FreezeOverride": _OF_CHANGE,
        "changes.Finding": Reach(systems="system", moment="made_at"),
        "changes.ChangeTemplate": Reach(systems="systems", shared=True, record=True),
        "changes.TemplateStep": Reach(systems="template__systems", shared=True),
        "changes.Freeze": Reach(systems="systems", shared=True),
        "changes.Module": Reach(systems="system", shared=True),
        "changes.ReleaseCheck": ANYTIME,
        "changes.Gate": ANYTIME,
        "changes.GateToken": ANYTIME,
        "changes.RiskBand": ANYTIME,
        "changes.RiskRule": ANYTIME,
        "maintenance.Plan": Reach(systems="systems", shared=True, record=True),
        "maintenance.Occurrence": Reach(systems="plan__systems", shared=True, moment="due_at", record=True),
        "maintenance.Window": Reach(systems="systems", shared=True, moment="starts_at", until="ends_at", record=True),
        "maintenance.WindowSeries": Reach(systems="systems", shared=True),
        "maintenance.PlanToken": Reach(systems="plan__systems", shared=True),
        "maintenance.RecoveryPlan": Reach(systems="system", record=True),
        "maintenance.RecoveryStep": Reach(systems="plan__system"),
        "maintenance.Exercise": Reach(systems="plan__system", moment="scheduled_for", record=True),
        "maintenance.ExerciseStep": Reach(systems="exercise__plan__system", moment="exercise__scheduled_for"),
        "actions.ActionItem": Reach(about=(("source_type", "source_id"),), moment="opened_at", record=True),
        "maintenance.BackupPlan": Reach(systems="system", record=True),
        "maintenance.BackupRun": Reach(systems="plan__system", moment="finished_at"),
        "maintenance.RestoreTest": Reach(systems="system", moment="ended_at", record=True),
        "accounts.User": ANYTIME,
        "accounts.SignIn": _SIGN_IN,
        "axes.AccessLog": _SIGN_IN,
        "axes.AccessAttempt": _SIGN_IN,
        "axes.AccessFailureLog": _SIGN_IN,
        "axes.AccessAttemptExpiration": ANYTIME,
        "auth.Group": ANYTIME,
        "audit.Reconciliation": Reach(moment="started_at"),
        "audit.Verification": Reach(moment="started_at"),
        "audit.SealBatch": Reach(moment="sealed_at"),
        "audit.Seal": ANYTIME,
        "audit.Shape": ANYTIME,
        "audit.SigningKey": ANYTIME,
        "audit.Anchor": ANYTIME,
        "audit.AnchorDelivery": ANYTIME,
        "audit.LegalHold": Reach(moment="placed_at"),
        "audit.TombstoneRequest": Reach(moment="asked_at"),
        "audit.Tombstone": Reach(moment="confirmed_at"),
        "audit.TombstonedRow": ANYTIME,
        "assurance.Engagement": Reach(own="auditor"),
        "assurance.GrantedRecord": Reach(own="engagement__auditor"),
        "assurance.ExportRule": ANYTIME,
        "assurance.ReviewPlan": ANYTIME,
        "assurance.Review": Reach(moment="opened_at", record=True),
        "assurance.ReviewItem": Reach(moment="review__opened_at"),
        "assurance.Verdict": Reach(moment="review__opened_at"),
        "assurance.Attestation": Reach(moment="signed_at"),
    }
)


@cache
def models_of(register: str) -> frozenset[str]:
    """Return the models that a kind of record holds, by label; none for a kind that is not known any more."""
    patterns = OPENS[Register(register)] if register in Register.values else ()
    return _matching((*patterns, *ALWAYS))


def _matching(patterns: tuple[str, ...]) -> frozenset[str]:
    return frozenset(
        model._meta.label
        for model in apps.get_models()
        if "view" in model._meta.default_permissions
        and any(fnmatchcase(model._meta.label, pattern) for pattern in patterns)
    )


@cache
def permission_of(label: str) -> str:
    """Return the permission to view a model, such as "incidents.view_incident"."""
    meta = apps.get_model(label)._meta
    return f"{meta.app_label}.view_{meta.model_name}"


def reach_of(label: str) -> Reach | None:
    """Return how rows of a model are narrowed; nothing where nobody has said so."""
    return REACH.get(label)
