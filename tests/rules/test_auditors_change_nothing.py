"""Auditors read within an engagement and change nothing: asked of every address of the portal."""

from __future__ import annotations

import re
import uuid

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.urls import NoReverseMatch, URLPattern, get_resolver, reverse

from tests.factories.accounts import confirm, make_user
from tests.factories.anything import make
from tests.factories.directory import NOON, make_system
from tests.factories.engagements import make_engagement
from tests.factories.incidents import make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
BACKEND = "django.contrib.auth.backends.ModelBackend"
METHODS = ("post",)
WRITE = re.compile(r'^\s*(?:INSERT (?:OR \w+ )?INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?', re.IGNORECASE)
# Written whoever reads: the trail tells who read what, and a session remembers that somebody is there.
ALWAYS = {"audit_trail", "django_session"}
# What an auditor may write beside it, by the first part of the address, and why.
OWN = {
    "/me/": "one's own account: preferences, password, second factor, ways to be reached",
    "/confirm/": "proving again who is there",
    "/sign-in/": "signing in",
    "/sign-out/": "signing out",
    "/inbox/": "marking one's own messages as read",
    "/admin/logout/": "signing out",
    "/audit/exports/": "an export is a reading; its row says who took what out and why",
    "/intake/": "machines post here with a secret of their own; a session opens nothing",
    "/approvals/": "looking again at a request whose record was changed voids it; what is sent is refused with 422",
    "/a/": "whoever holds the secret of a link acknowledges, signed in or not",
}
# What somebody to whom nothing is open still reaches.
STAYS_OPEN = ("/me/", "/sign-in/", "/sign-out/", "/confirm/", "/healthz/", "/audit/engagements/")
SAMPLES = {
    "pk": 1, "number": 1, "content_type_id": 1, "version_id": 1, "id": 1, "slug": "mail", "secret": "x",
    "url": "nowhere/", "app_label": "incidents", "verb": "note", "kind": "severity", "source": "trail",
    "gesture": uuid.UUID(int=1), "object_id": "1", "model": "incidents.incident",
}  # fmt: skip
SENT = {
    "reason": "I say so", "change_reason": "I say so", "title": "Changed", "name": "Changed", "text": "Changed",
    "words": "Changed", "statement": "Changed", "description": "Changed", "items": "1", "once": str(uuid.uuid4()),
    "action": "delete_selected", "_selected_action": "1", "post": "yes", "verdict": "approve", "active": "on",
    "_save": "Save", "auditor": "1", "registers": "trail", "ends": "2099-01-01T10:00", "contact": "1",
    "until": "2099-01-01T10:00", "format": "csv", "severity": "1", "systems": "1", "type": "operational",
}  # fmt: skip


def patterns(resolver=None, spaces=()):
    """Yield each pattern with the name that leads to it."""
    for found in (resolver or get_resolver()).url_patterns:
        if isinstance(found, URLPattern):
            yield ":".join([*spaces, found.name or ""]), found
        else:
            yield from patterns(found, [*spaces, *([found.namespace] if found.namespace else [])])


def addresses(rows):
    """Return an address for each pattern that has a name, with arguments that lead to a row where there is one."""
    found = set()
    for name, pattern in patterns():
        if not pattern.name:
            continue
        given = {**SAMPLES, **_of(name, rows)}
        wanted = {key: given[key] for key in _arguments(pattern)}
        try:
            found.add(reverse(name, kwargs=wanted))
        except NoReverseMatch:
            found.add(reverse(name, args=list(wanted.values())))
    return sorted(found)


def _arguments(pattern):
    if getattr(pattern.pattern, "converters", None):
        return list(pattern.pattern.converters)
    known = list(pattern.pattern.regex.groupindex)
    return known or ["object_id", "version_id"][: pattern.pattern.regex.groups]


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
        return {"reference": rows[model].reference, "verb": "question", "kind": kind, "model": "incidents.incident"}
    if name.startswith("approvals:"):
        return {"reference": rows["approvals.ApprovalRequest"].reference}
    return {"reference": rows["incidents.Incident"].reference}


@pytest.fixture
def rows():
    """A row of every model with record pages."""
    make_system("mail")
    kept = {"incidents.Incident": make_incident(title="A kept incident")}
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


def test_the_map_is_the_whole_one(rows):
    found = addresses(rows)
    assert len(found) > 200
    assert {"/", "/incidents/", "/audit/engagements/", "/approvals/", "/admin/"} <= set(found)


@pytest.mark.parametrize("method", METHODS)
def test_an_auditor_changes_nothing_at_any_address(client, rows, method):
    user = make_user("audra", roles=["auditor"])
    client.raise_request_exception = False
    wrong = []
    for address in addresses(rows):
        signed_in(client, user)
        written = Written()
        with connection.execute_wrapper(written):
            response = getattr(client, method)(address, SENT if method == "post" else None)
        own = address.startswith(tuple(OWN))
        tables = written.tables - ALWAYS
        if tables and not own:
            wrong.append(f"{method} {address} wrote to {sorted(tables)}")
        # Record pages show themselves whatever the method: Django's admin reads what it does not know as GET.
        shown = address.startswith("/admin/") and response.status_code == 200 and not tables
        refused = response.status_code in {302, 403, 404, 405} or shown
        if method in {"post", "put", "patch", "delete"} and not own and not refused:
            wrong.append(f"{method} {address} answered {response.status_code}")
        if response.status_code >= 500 and address != "/healthz/":
            wrong.append(f"{method} {address} answered {response.status_code}")
    assert wrong == []


def test_nothing_is_readable_once_the_engagement_is_over(client, rows):
    user = make_user("audra", roles=["auditor"], engaged=False)
    make_engagement(user, ends=NOON)
    wrong = []
    for address in addresses(rows):
        signed_in(client, user)
        response = client.get(address)
        if response.status_code == 200 and not address.startswith(STAYS_OPEN):
            wrong.append(address)
        if b"A kept incident" in response.content:
            wrong.append(f"{address} names a record")
    assert wrong == []


def test_what_lies_outside_of_the_engagement_is_named_nowhere(client, rows):
    desk = make_system("desk")
    outside = make_incident(title="Xylophone outage", systems=[desk])
    rows["incidents.Incident"] = outside
    user = make_user("audra", roles=["auditor"], engaged=False)
    make_engagement(user, systems=[make_system("inside")])
    wrong = []
    for address in addresses(rows):
        signed_in(client, user)
        response = client.get(address)
        content = b"".join(response) if response.streaming else response.content
        if b"Xylophone" in content:
            wrong.append(address)
    assert wrong == []
