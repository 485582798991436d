"""What is privileged asks why, at every edge: each record page, each service."""

import importlib
import inspect

import pytest
from django.contrib import admin
from django.forms import (
    CharField,
    CheckboxInput,
    ChoiceField,
    IntegerField,
    ModelMultipleChoiceField,
    MultipleChoiceField,
)
from django.test import RequestFactory
from django.urls import reverse

from portal.audit.admin import GuardedAdmin
from portal.audit.models import TrailRow
from tests.factories.accounts import confirm, make_superuser
from tests.factories.anything import make
from tests.rules.test_models import AUDITED

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

# Audited, and changed without a reason: label and why.
NOT_PRIVILEGED = {
    "actions.ActionItem": "it changes by its verbs, and those that need a reason ask for one (portal.actions.policy)",
    "maintenance.Exercise": "it changes by its verbs, and those that need a reason ask for one (exercises.policy)",
    "maintenance.ExerciseStep": "it changes by the verbs of its exercise, some of which ask for a reason",
    "incidents.Incident": "it changes by its verbs, and those that need a reason ask for one (incidents.policy)",
    "records.Evidence": "it changes by its verbs, and those that need a reason ask for one (records.evidence.policy)",
    "incidents.Communication": "it changes by its verbs, some of which ask for a reason, and is frozen once sent",
    "incidents.Subscription": "people follow a record, and stop, for themselves",
    "directory.Swap": "it carries why it was asked, and so do the shifts that come of it; answering is a yes or no",
    "directory.CalendarFeed": "one's own address to read one's own turns; it decides nothing",
    "runbooks.Runbook": "what it says is decided by the approval of each version",
    "runbooks.RunbookVersion": "a draft is free; an approval decides what is published, and the database keeps it",
    "changes.Change": "it changes by its verbs, and those that need a reason ask for one (changes.policy)",
    "changes.ChangeStep": "a part of a change: what is decided on is bound by the approval",
    "changes.Cell": "an answer says why something is not needed, and what shows that it is done",
    "maintenance.Window": "it changes by its verbs, and those that need a reason ask for one (window_policy)",
    "maintenance.WindowSeries": "it is planned and ended by a verb; ending it asks why",
    "changes.Finding": "it is found by the portal and answered by a verb that asks why",
    "incidents.Responder": "people join an incident by a verb of it, in the middle of the night",
    "incidents.ContainmentStep": "work in the middle of the night; the verb that skips one asks why",
}
PRIVILEGED = [model for model in AUDITED if model.privileged]
ADMINS = {
    model._meta.label: found
    for model, found in admin.site._registry.items()
    if isinstance(found, GuardedAdmin) and found.needs_reason()
}
# Actions of lists that ask why on a page of their own: label and names.
ACTIONS = {"approvals.ApprovalRequest": {"approve_selected"}}
# Services that write privileged rows: module and the functions that do not.
SERVICES = {
    # one's own sessions and second factors: no privileged row changes
    "portal.accounts.services": {
        "add_app",
        "add_passkey",
        "end_other_sessions",
        "make_recovery_codes",
        "remove_factor",
    },
    "portal.directory.reaching": set(),
    "portal.directory.services": {"contact_for_user"},  # it says itself why: the account had no entry
    "portal.directory.oncall.schedules": set(),
    "portal.directory.oncall.swaps": {"ask", "accept", "decline", "withdraw"},  # the request carries its reason
    "portal.runbooks.checklists.services.editing": set(),
    "incidents.policies": set(),
    "changes.services.gating": {"report_gate", "token_used"},  # reports carry what shows them; a use is no decision
    "changes.services.templating": set(),
    "maintenance.services.planning": set(),
    "maintenance.exercises.services.planning": set(),
    "maintenance.services.needing": set(),
    "maintenance.services.backups": {"record_run"},  # a report carries what shows it
    "maintenance.services.tokens": {"report_done"},  # a use is no decision; what is done carries its words
    "incidents.intake.tokens": set(),
    "incidents.intake.signing": set(),
    "incidents.intake.heartbeats": set(),
    "incidents.intake.subscriptions": set(),
}


def address(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_a_model_is_privileged_or_says_why_not():
    wrong = {model._meta.label for model in AUDITED if model.privileged == (model._meta.label in NOT_PRIVILEGED)}
    assert not wrong
    assert NOT_PRIVILEGED.keys() <= {model._meta.label for model in AUDITED}


def test_the_privileged_are_known():
    names = {model._meta.label for model in PRIVILEGED}
    assert {"accounts.User", "directory.Severity", "incidents.EscalationPolicy", "incidents.IntakeToken"} <= names
    assert {"directory.Calendar", "directory.System", "directory.Contact", "directory.EmergencyContact"} <= names


# What the form of a record asks for beyond what the database does.
VALID = {
    "directory.Channel": {"address": "room@example.org"},
    "directory.ContactMethod": {"address": "amara@example.org"},
    "directory.Severity": {"level": 9, "code": "SEV-9"},
    "directory.SeverityClock": {"limit": 5},
}

# What takes only some values, or is bound to another field.
UNTOUCHED = {
    *("password", "slug", "code", "level", "kind", "time_zone", "address", "weekdays", "value", "username"),
    "audience",
}


def record(label, user):
    """Return a record that this person may change in the admin; None where it is only shown."""
    found, model = ADMINS[label], ADMINS[label].model
    request = RequestFactory().get("/")
    request.user = user
    if not found.has_change_permission(request):
        return None
    return model._base_manager.first() or make(model, **VALID.get(label, {}))


def sent(page):
    """Return what a browser would send of the forms of this page, unchanged."""
    form, formsets = page.context["adminform"].form, [one.formset for one in page.context["inline_admin_formsets"]]
    data = {}
    for one in [form, *(f.management_form for f in formsets), *(row for f in formsets for row in f.initial_forms)]:
        for bound in one:
            value, widget = bound.value(), bound.field.widget
            if isinstance(widget, CheckboxInput):
                data |= {bound.html_name: "on"} if value else {}
            elif isinstance(bound.field, ModelMultipleChoiceField | MultipleChoiceField):
                data[bound.html_name] = [str(getattr(item, "pk", item)) for item in value or []]
            elif isinstance(bound.field, ChoiceField):
                data[bound.html_name] = "" if value is None else str(value)
            else:
                data[bound.html_name] = widget.format_value(value) or ""
    return {name: value for name, value in data.items() if not isinstance(value, dict)}


def changed(page):
    """Return the same with another value in the first field that takes one, and the field's name."""
    data, form = sent(page), page.context["adminform"].form
    for bound in form:
        if bound.name in UNTOUCHED:
            continue
        if isinstance(bound.field.widget, CheckboxInput):
            turned = {k: v for k, v in data.items() if k != bound.html_name}
            return (turned if bound.value() else {**data, bound.html_name: "on"}), bound.html_name
        if type(bound.field) is CharField:
            return {**data, bound.html_name: "Other words"}, bound.html_name
        if isinstance(bound.field, IntegerField):
            return {**data, bound.html_name: str(int(data[bound.html_name] or 0) + 1)}, bound.html_name
        if isinstance(bound.field, ChoiceField) and not isinstance(bound.field, ModelMultipleChoiceField):
            others = [str(key) for key, _ in bound.field.choices if key and str(key) != data[bound.html_name]]
            if others:
                return {**data, bound.html_name: others[0]}, bound.html_name
    raise AssertionError(f"Nothing can be changed in {list(form.fields)}")


@pytest.fixture
def root(client):
    user = make_superuser()
    client.force_login(user)
    confirm(client)
    return user


def stands(model):
    return list(model._base_manager.order_by("pk").values()), model.history.count(), TrailRow.objects.count()


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_a_form_that_changes_something_asks_why_and_keeps_what_was_typed(client, root, label):
    model, obj = ADMINS[label].model, record(label, root)
    if obj is None:
        return
    page = address(model, "change", obj.pk)
    data, name = changed(client.get(page))
    before = stands(model)
    for reason in ("", "  "):
        answer = client.post(page, {**data, "change_reason": reason})
        text = answer.content.decode()
        assert answer.status_code == 200
        assert "Say why" in text, answer.context["errors"]
        assert 'aria-describedby="id_change_reason_error"' in text
        assert stands(model) == before
        kept = sent(answer)
        assert kept.get(name) == data.get(name)
    answer = client.post(page, {**data, "change_reason": "Because it is so"})
    assert answer.status_code == 302, answer.context["errors"]
    assert stands(model) != before
    assert TrailRow.objects.filter(model=model._meta.label_lower).latest("id").reason == "Because it is so"


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_a_form_in_which_nothing_changed_asks_nothing(client, root, label):
    model, obj = ADMINS[label].model, record(label, root)
    if obj is None:
        return
    page = address(model, "change", obj.pk)
    data, before = sent(client.get(page)), stands(model)
    answer = client.post(page, data)
    assert answer.status_code == 302, answer.context["errors"]
    assert stands(model) == before


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_the_form_says_beforehand_that_it_asks_why(client, root, label):
    obj = record(label, root)
    if obj is not None:
        text = client.get(address(type(obj), "change", obj.pk)).content.decode()
        assert 'for="id_change_reason" class="required"' in text


@pytest.mark.parametrize("label", sorted(ADMINS))
def test_no_list_changes_what_is_privileged(label):
    """A list asks for no reason: nothing is edited in it, and an action leads to a page that asks."""
    found = ADMINS[label]
    assert not found.list_editable
    assert set(found.actions) <= ACTIONS.get(label, set())


def writers():
    for name, exempt in SERVICES.items():
        module = importlib.import_module(name)
        for found, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == name and not found.startswith("_") and found not in exempt:
                parameters = inspect.signature(function).parameters
                if "by" in parameters:
                    yield pytest.param(function, id=f"{name}.{found}")


@pytest.mark.parametrize("function", list(writers()))
def test_a_service_that_changes_what_is_privileged_requires_a_reason(function):
    reason = inspect.signature(function).parameters.get("reason")
    assert reason is not None, "take reason="
    assert reason.kind is inspect.Parameter.KEYWORD_ONLY
    assert reason.default is inspect.Parameter.empty, "a default reason is none"
