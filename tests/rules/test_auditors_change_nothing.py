"""Auditors read within an engagement and change nothing: asked of every address of the portal, with every method."""

from __future__ import annotations

import re
import uuid

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, transaction
from django.urls import URLPattern, get_resolver, resolve
from django.urls.resolvers import RoutePattern
from django.utils.regex_helper import normalize

from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG
from tests.factories.accounts import confirm, make_superuser, make_user
from tests.factories.anything import make
from tests.factories.directory import NOON, make_system, make_team
from tests.factories.engagements import make_engagement
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
BACKEND = "django.contrib.auth.backends.ModelBackend"
SAFE, UNKNOWN = ("get", "head"), ("options", "put", "patch", "delete")
METHODS = ("post", *SAFE, *UNKNOWN)
WRITE = re.compile(r'^\s*(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)
# Written whoever reads: the trail and the custody of evidence tell who read what, and a session that somebody is there.
ALWAYS = {"audit_trail", "records_custodyevent", "django_session"}
ACCOUNT = {"accounts_user", "accounts_historicaluser", "axes_accesslog", "axes_accessattempt"}
METHOD = {"directory_contactmethod", "directory_historicalcontactmethod", "notify_message", "notify_verification"}
FACTORS = {"mfa_authenticator", *ACCOUNT}
# What a POST of an auditor may write beside it, by the beginning of the address: the tables, and why.
OWN: dict[str, tuple[set[str], str]] = {
    "/me/contact-methods/": (METHOD, "one's own ways to be reached"),
    "/me/second-factor/": (FACTORS, "one's own second factors"),
    "/me/": (ACCOUNT, "one's own zone, password and sessions"),
    "/confirm/": (ACCOUNT, "proving again who is there"),
    "/sign-in/": (ACCOUNT, "signing in"),
    "/sign-out/": (ACCOUNT, "signing out"),
    "/admin/logout/": (ACCOUNT, "signing out"),
    "/inbox/": ({"notify_message"}, "marking one's own messages as read"),
    "/audit/exports/new/": (
        {"assurance_export"}, "an export is a reading; its row says who took what out and why",
    ),
    "/intake/": (set(), "machines post here with a secret of their own; a session opens nothing"),
    "/v2/enqueue": (set(), "the same for tools that know a routing key alone"),
    "/v2/change/enqueue": (set(), "the same for what such tools say of changes"),
    "/a/": (set(), "whoever holds the secret of a link acknowledges, signed in or not"),
}  # fmt: skip
# What somebody to whom nothing is open still reaches.
STAYS_OPEN = ("/me/", "/sign-in/", "/sign-out/", "/confirm/", "/healthz/", "/audit/engagements/")
# What is left to an account without a role: the frame of the portal, with nothing in it.
WITHOUT_ROLE = (
    *("/", "/jump/", "/search/", "/search/live/", "/keys/", "/inbox/", "/readiness/", "/approvals/", "/audit/exports/"),
    *("/admin/", "/admin/jsi18n/", "/admin/password_change/", "/admin/password_change/done/"),
)
SAMPLES = {
    "pk": 1, "number": 1, "content_type_id": 1, "version_id": 1, "id": 1, "slug": "mail", "secret": "x",
    "url": "nowhere", "how": "plan", "audience": "customers", "app_label": "incidents",
    "verb": "note", "kind": "severity", "source": "trail",
    "gesture": uuid.UUID(int=1), "object_id": "1", "model": "incidents.incident",
}  # fmt: skip
SENT = {
    "reason": "I say so", "change_reason": "I say so", "title": "Changed", "name": "Changed", "text": "Changed",
    "words": "Changed", "statement": "Changed", "description": "Changed", "items": "1",
    "action": "delete_selected", "_selected_action": "1", "post": "yes", "verdict": "approve", "active": "on",
    "_save": "Save", "auditor": "1", "registers": "trail", "ends": "2099-01-01T10:00", "contact": "1",
    "until": "2099-01-01T10:00", "format": "csv", "severity": "1", "systems": "1", "type": "operational",
    "reviewer_roles": "Manager", "due_at": "2099-01-01T10:00", "kind": "incidents.incident", "record": "1",
}  # fmt: skip


def patterns(resolver=None, before=(), spaces=()):
    """Yield each pattern of the map with the patterns that lead to it, and its name, if it has one, in its spaces."""
    for found in (resolver or get_resolver()).url_patterns:
        way = (*before, found.pattern)
        if isinstance(found, URLPattern):
            yield way, found, ":".join([*spaces, found.name]) if found.name else ""
        else:
            yield from patterns(found, way, [*spaces, *([found.namespace] if found.namespace else [])])


def addresses(rows):
    """Return an address for each pattern, named or not, with arguments that lead to a row where there is one."""
    found = {}
    for way, pattern, name in patterns():
        given = {**SAMPLES, **_of(name, rows)}
        address = "/" + "".join(_filled(part, given) for part in way)
        assert resolve(address).func is pattern.callback, f"{address} does not lead to {name or pattern}"
        found[address] = name
    return sorted(found)


def _filled(pattern, given):
    if isinstance(pattern, RoutePattern):
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda hole: str(given.get(hole[1], 1)), str(pattern))
    (text, names), *_ = normalize(
        str(pattern)
        .replace("(?i:INC)", "INC")
        .replace("(?i:APR)", "APR")
        .replace("(?i:EVD)", "EVD")
        .replace("(?i:CHK)", "CHK")
        .replace("(?i:CHG)", "CHG")
        .replace("(?i:MNT)", "MNT")
        .replace("(?i:ACT)", "ACT")
        .replace("(?i:MNW)", "MNW")
        .replace("(?i:RCP)", "RCP")
        .replace("(?i:EXR)", "EXR")
        .replace("(?i:BKP)", "BKP")
        .replace("(?i:RST)", "RST")
    )
    known = pattern.regex.groupindex
    unnamed = iter(["object_id", "version_id"])
    return text % {name: given[name if name in known else next(unnamed)] for name in names}


def _of(name, rows):
    if name.startswith("admin:"):
        for label, row in rows.items():
            if name.startswith(f"admin:{label.lower().replace('.', '_')}_"):
                history = row.history.first().pk if hasattr(row, "history") else 1
                return {"object_id": str(row.pk), "pk": row.pk, "id": str(row.pk), "version_id": history}
        return {}
    if name.startswith("assurance:"):
        model = "assurance.Engagement" if "engagement" in name or "record" in name else "assurance.Review"
        kind = "changes" if name.endswith("start-review") else "incidents.incident"
        granted = {"pk": rows["assurance.GrantedRecord"].pk} if name.endswith("withdraw-record") else {}
        return {"reference": rows[model].reference, "verb": "question", "kind": kind, **granted}
    if name.startswith("approvals:"):
        return {"reference": rows["approvals.ApprovalRequest"].reference}
    if name.startswith("evidence:"):
        incident = {"kind": "incidents.incident", "pk": rows["incidents.Incident"].pk}
        return {"reference": rows["records.Evidence"].reference, "verb": "seal", **incident}
    of_windows = name in {"maintenance:window", "maintenance:act-on-window", "maintenance:end-series"}
    of_maintenance = "maintenance.Window" if of_windows else "maintenance.Plan"
    owners = {"maintenance": of_maintenance, "actions": "actions.ActionItem"}
    owner = owners.get(name.partition(":")[0], "incidents.Incident")
    found = _of_changes(name, rows) or _of_checklists(name, rows) or _of_exercises(name, rows)
    return found or _of_recovery(name, rows) or {"reference": rows[owner].reference}


def _of_exercises(name, rows):
    if name in {"maintenance:recovery-plan", "maintenance:edit-recovery-plan", "maintenance:act-on-recovery-plan"}:
        return {"reference": rows["maintenance.RecoveryPlan"].reference, "verb": "retire"}
    if name == "maintenance:act-on-step":
        return {"reference": rows["maintenance.ExerciseStep"].exercise.reference, "position": 1, "verb": "skip"}
    if name.startswith(("maintenance:exercise", "maintenance:act-on-exercise")):
        return {"reference": rows["maintenance.Exercise"].reference, "verb": "call-off"}
    return {}


def _of_changes(name, rows):
    if not name.startswith("changes:"):
        return {}
    cell, template = rows["changes.Cell"], rows["changes.ChangeTemplate"]
    change = cell.change if name in {"changes:cell", "changes:row"} else rows["changes.Change"]
    parts = {"module": cell.module.slug, "check": cell.check_of.slug, "gate": rows["changes.Gate"].slug}
    pk = rows["changes.Finding" if "unauthorised" in name else "directory.CalendarFeed"].pk
    verb = "accept" if "unauthorised" in name else "note"
    return {"reference": change.reference, "slug": template.slug, "pk": pk, "verb": verb, **parts}


def _of_checklists(name, rows):
    if not name.startswith("checklists:"):
        return {}
    run = rows["runbooks.RunStep"].run if "step" in name else rows["runbooks.ChecklistRun"]
    incident = {"kind": "incident", "pk": rows["incidents.Incident"].pk}
    given = {"reference": run.reference, "position": 1, "slug": rows["runbooks.Checklist"].slug, **incident}
    slug = {"slug": "mail"} if name.endswith("configuration-of") else {}
    return {**given, **slug, "verb": "end" if name.endswith("run") else "note"}


@pytest.fixture
def rows():
    """A row of every model with record pages. The record of the request for approval is not what the request shows."""
    make_system("mail")
    kept = {"incidents.Incident": make_incident(title="A kept incident"), "directory.Team": make_team("mail")}
    for model in admin.site._registry:
        label = model._meta.label
        if label not in kept and model is not apps.get_model("auth.Group"):
            kept[label] = make(model)
    return kept


class Written:
    """The tables that statements write to."""

    def __init__(self):
        self.tables = set()

    def __call__(self, execute, sql, params, many, context):
        match = WRITE.match(sql)
        if match:
            self.tables.add(match[1].lower())
        return execute(sql, params, many, context)


def signed_in(client, user):
    client.force_login(user, backend=BACKEND)
    confirm(client)


def sent(rows):
    """Return what would change something, if it were taken, whatever the address is."""
    named = {
        "severity": "directory.Severity", "systems": "directory.System", "contact": "directory.Contact",
        "stage": "approvals.Stage", "implementer": "accounts.User", "commander": "directory.Contact",
    }  # fmt: skip
    keys = {name: str(rows[label].pk) for name, label in named.items()}
    auditor = str(rows["assurance.Engagement"].auditor_id)
    return {**SENT, **keys, "once": str(uuid.uuid4()), "digest": "0" * 64, "auditor": auditor}


def signed_in_at(client, user, addresses):
    """Yield each address, to somebody who is signed in there whatever the address before it did to the session."""
    signed_in(client, user)
    cookie = client.cookies.output()
    for address in addresses:
        yield address
        if client.cookies.output() != cookie:
            signed_in(client, user)
            cookie = client.cookies.output()


def asked_of_all(client, user, rows, method):
    """Yield each address with its answer and the tables that it wrote to. What was written is taken back."""
    given = sent(rows) if method == "post" else None
    for address in signed_in_at(client, user, addresses(rows)):
        written = Written()
        with transaction.atomic(), connection.execute_wrapper(written):
            response = getattr(client, method)(address, given)
            transaction.set_rollback(True)
        yield address, response, written.tables


def own_tables(address):
    """Return what a POST to an address may write, and whether it may be taken at all."""
    beginning = next((one for one in OWN if address.startswith(one)), None)
    return (set(), False) if beginning is None else (OWN[beginning][0], True)


def test_the_map_is_the_whole_one(rows):
    found = addresses(rows)
    assert len(found) > 200
    assert {"/", "/incidents/", "/audit/engagements/", "/approvals/", "/admin/", "/intake/x", "/admin/nowhere"} <= set(
        found
    )


@pytest.mark.parametrize("method", METHODS)
def test_an_auditor_changes_nothing_at_any_address(client, rows, method):
    client.raise_request_exception = False
    wrong = []
    for address, response, tables in asked_of_all(client, make_user("audra", roles=["auditor"]), rows, method):
        own, taken = own_tables(address) if method == "post" else (set(), False)
        if more := tables - ALWAYS - own:
            wrong.append(f"{method} {address} wrote to {sorted(more)}")
        # Record pages show themselves: Django's admin reads a POST that it has no use for as GET.
        shown = address.startswith("/admin/") and response.status_code == 200
        if method == "post" and not (taken or shown) and response.status_code not in {302, 401, 403, 404, 405}:
            wrong.append(f"{method} {address} answered {response.status_code}")
        if method in UNKNOWN and response.status_code != 405:
            wrong.append(f"{method} {address} answered {response.status_code}")
        if response.status_code >= 500 and address != "/healthz/":
            wrong.append(f"{method} {address} answered {response.status_code}")
    assert wrong == []


def test_what_is_sent_would_change_something_if_somebody_else_sent_it(client, rows):
    client.raise_request_exception = False
    found = asked_of_all(client, make_superuser("root"), rows, "post")
    wrote = {address: tables for address, _, tables in found if tables - ALWAYS}
    assert len(wrote) > 12, sorted(wrote)
    assert {"/incidents/declare/", f"/incidents/{rows['incidents.Incident'].reference}/note/"} <= set(wrote)


def test_nothing_is_readable_once_the_engagement_is_over(client, rows):
    user = make_user("audra", roles=["auditor"], engaged=False)
    make_engagement(user, ends=NOON)
    assert_closed(client, user, rows)


def test_nothing_is_readable_once_the_role_is_lost(client, rows):
    user = make_user("audra", roles=["auditor"])
    user.groups.remove(user.groups.get(name=BY_SLUG["auditor"].name))
    assert_closed(client, User.objects.get(pk=user.pk), rows, but=WITHOUT_ROLE)


def assert_closed(client, user, rows, but=()):
    wrong = []
    for address in signed_in_at(client, user, addresses(rows)):
        response = client.get(address)
        if response.status_code == 200 and not address.startswith(STAYS_OPEN) and address not in but:
            wrong.append(address)
        elif b"A kept incident" in response.content:
            wrong.append(f"{address} names a record")
    assert wrong == []


def test_what_lies_outside_of_the_engagement_is_named_nowhere(client, rows):
    desk = make_system("desk")
    outside = make_incident(title="Xylophone outage", systems=[desk])
    rows["incidents.Incident"] = outside
    user = make_user("audra", roles=["auditor"], engaged=False)
    make_engagement(user, systems=[make_system("inside")])
    wrong = []
    for address in signed_in_at(client, user, addresses(rows)):
        response = client.get(address)
        content = b"".join(response) if response.streaming else response.content
        if b"Xylophone" in content:
            wrong.append(address)
    assert wrong == []


def _of_recovery(name, rows):
    slug = rows["maintenance.BackupPlan"].system.slug
    if name in {"maintenance:recovery-system", "maintenance:record-restore-test", "maintenance:new-backup"}:
        return {"slug": slug}
    if name == "maintenance:restore-test":
        return {"reference": rows["maintenance.RestoreTest"].reference}
    if name in {"maintenance:backup", "maintenance:act-on-backup", "maintenance:validate-run"}:
        pk = rows["maintenance.BackupRun"].pk
        return {"reference": rows["maintenance.BackupPlan"].reference, "pk": pk, "verb": "run"}
    return {}
