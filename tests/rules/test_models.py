"""What holds for every model of the project. An exemption needs a written reason."""

import inspect

import pytest
from django.apps import apps
from django.db import models

from portal.audit.history import HistoryFields
from portal.audit.models import AuditedModel, HistoryBypassed
from portal.lib.visibility import VisibleQuerySet

PARTS = ("portal", "incidents", "changes", "maintenance")
ALL = [model for model in apps.get_models() if model.__module__.split(".")[0] in PARTS]
HISTORY = [model for model in ALL if issubclass(model, HistoryFields) or hasattr(model, "m2m_history_id")]
OWN = [model for model in ALL if model not in HISTORY and not model._meta.proxy]
AUDITED = [model for model in OWN if issubclass(model, AuditedModel)]

# Models that keep no history of their own, and why.
WITHOUT_HISTORY = {
    "audit.TrailRow": "append-only: it is the trail",
    "audit.Shape": "append-only: seals name it by its digest",
    "audit.Seal": "append-only: it is the seal",
    "audit.SealBatch": "append-only: it says when seals were made",
    "audit.SigningKey": "append-only: it is sealed itself",
    "audit.Anchor": "append-only: it is signed",
    "audit.AnchorDelivery": "its row keeps every attempt",
    "audit.TombstoneRequest": "append-only: it is sealed itself",
    "audit.Tombstone": "append-only: it is sealed itself",
    "audit.TombstonedRow": "append-only: it is sealed itself",
    "audit.Verification": "a run of the machine; its result is told in the trail",
    "assurance.ReviewItem": "append-only: the population of a review is frozen",
    "assurance.Verdict": "append-only: what was decided on an item, step by step",
    "assurance.Attestation": "append-only: the signature under a review",
    "assurance.Export": "a job: who asked, what was made and who fetched it stand in the trail",
    "directory.SheetDelivery": "its row keeps every attempt",
    "directory.RecoveryProof": "append-only: the newest proof counts",
    "directory.RecoveryStanding": "overwritten with each backup; backups and proofs are kept",
    "deadlines.Deadline": "what it decided stands in the timeline",
    "audit.Reconciliation": "a run of the machine; what it found is told in the trail",
    "deadlines.Sweep": "a pulse, overwritten every two seconds",
    "notify.Message": "what it decided stands in the timeline; its row keeps every attempt",
    "notify.ActionLink": "written once, used once; what it did stands in the timeline",
    "notify.Turn": "a pulse, overwritten with each page",
    "notify.Verification": "the verified method has history",
    "records.Counter": "counts references",
    "records.Note": "append-only: a correction is a new note",
    "records.EvidenceObject": "append-only: the content under its digest",
    "records.CustodyEvent": "append-only: whatever happens next is a new one",
    "records.EvidenceCheck": "a run of the machine; its result is a custody event",
    "records.Period": "written with the record that owns it",
    "records.Demand": "asked once, answered once, both with their moment and name",
    "records.Link": "made with its moment and name",
    "approvals.Decision": "append-only: a fact that is never changed",
    "changes.GateReport": "append-only: what was found of a prerequisite",
    "changes.FreezeOverride": "append-only: who let a change through a freeze, and why",
    "runbooks.ChecklistVersion": "append-only: an edit of a checklist is a new one",
    "runbooks.ChecklistStep": "append-only: an edit of a checklist is a new version",
    "runbooks.ChecklistRun": "started once; whatever happens to it is an event, append-only",
    "runbooks.RunStep": "whatever happens to it is an event, append-only",
    "runbooks.ConfigurationMark": "append-only: the last mark counts",
    "runbooks.RunEvent": "append-only: undoing is a new one",
    "accounts.SignInTries": "counts tries; each wrong one is told in the trail",
    **dict.fromkeys(
        (
            *("runbooks.Procedure", "runbooks.Issue", "runbooks.Step", "runbooks.Threshold", "runbooks.Command"),
            *("runbooks.ConfigurationFile", "runbooks.EnvironmentVariable", "runbooks.LogLocation"),
            "runbooks.Passage",
        ),
        "read from the text of a published version, which has history and never changes",
    ),
    "maintenance.RecoveryStep": "append-only: an edit of a recovery plan is a new version",
    "maintenance.BackupRun": "reported by the thousand; the database keeps what was reported, and what somebody says "
    "of it stands in the timeline of its backup",
    "maintenance.RestoreTest": "append-only: the newest test counts",
    "maintenance.Occurrence": "opened by the thousand; what happens to it stands in its timeline, and the database "
    "keeps its date and what is settled",
    "incidents.Escalation": "a snapshot; what it decided stands in the timeline",
    "incidents.IntakeDelivery": "kept as it came, never changed",
    "incidents.SeenSignature": "known while the signature is good; the delivery itself is kept",
    "incidents.Heartbeat": "a pulse, overwritten by each ping; what its silence did stands in the timeline",
    "incidents.Alert": "what a source says; what came of it stands in the timeline",
}

# Columns that history leaves out: secrets, and what says nothing of what somebody may do.
LEFT_OUT = {
    "accounts.User": {"password", "last_login", "session_stamp", "proofs_refused", "proofs_refused_since"},
}


def every(chosen):
    return pytest.mark.parametrize("model", chosen, ids=[m._meta.label for m in chosen])


@every(OWN)
def test_a_model_keeps_history_or_says_why_not(model):
    assert issubclass(model, AuditedModel) != (model._meta.label in WITHOUT_HISTORY)


def test_no_exemption_is_left_over():
    assert WITHOUT_HISTORY.keys() <= {model._meta.label for model in OWN}


@every(OWN)
def test_a_model_says_what_it_is(model):
    assert inspect.getdoc(model)
    assert not (model.__doc__ or "").startswith(f"{model.__name__}("), f"{model.__name__} has Django's docstring"
    assert "__str__" in vars(model)


@every(AUDITED)
def test_an_audited_relation_protects_what_it_points_at(model):
    for field in model._meta.concrete_fields:
        if field.is_relation:
            assert field.remote_field.on_delete is models.PROTECT, f"{field} does not protect"


@every(AUDITED)
def test_every_relation_of_many_is_in_the_history(model):
    assert sorted(field.name for field in model._meta.local_many_to_many) == sorted(model.audited_m2m)


@every(AUDITED)
def test_every_field_is_in_the_history_unless_it_is_a_secret(model):
    kept = {field.name for field in model.history.model._meta.get_fields()}
    left_out = {field.name for field in model._meta.concrete_fields} - kept
    assert left_out == LEFT_OUT.get(model._meta.label, set())


@every(AUDITED)
def test_no_field_hides_one_of_the_history(model):
    assert not {f.name for f in HistoryFields._meta.get_fields()} & {f.name for f in model._meta.get_fields()}


@every(AUDITED)
def test_every_way_to_many_rows_is_guarded(model):
    for manager in (model._default_manager, model._base_manager, *model._meta.managers):
        with pytest.raises(HistoryBypassed):
            manager.none().update(pk=1)
        assert isinstance(manager.none(), VisibleQuerySet)


@every(HISTORY)
def test_history_points_at_nothing_and_outlives_everything(model):
    for field in model._meta.concrete_fields:
        assert not field.is_relation or not field.db_constraint, f"{field} has a constraint"


@every(OWN)
def test_nothing_is_deleted_with_something_else(model):
    for field in model._meta.concrete_fields:
        if field.is_relation:
            assert field.remote_field.on_delete in {models.PROTECT, models.RESTRICT}, f"{field} does not protect"


@every(OWN)
def test_no_field_stamps_itself(model):
    """Edges read the clock: auto_now would read it behind their back, and hide that nothing changed."""
    for field in model._meta.concrete_fields:
        assert not getattr(field, "auto_now", False), field
        assert not getattr(field, "auto_now_add", False), field
