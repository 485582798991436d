"""Roles as data: what each may do, synchronised into Django's groups after migrations.

A role is changed here, in code, and nowhere else; who has it is data of the account, with history.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, transaction

PARTS = (
    "audit", "accounts", "directory", "deadlines", "notify", "records", "approvals", "incidents", "changes",
    "maintenance", "assurance", "runbooks", "actions",
)  # fmt: skip
VIEW_ALL = (*(f"{part}.view_*" for part in PARTS if part != "accounts"), "accounts.view_user", "auth.view_group")
VIEW_SIGN_INS = ("accounts.view_signin", "axes.view_*")


def _may(*targets: str) -> tuple[str, ...]:
    """Return the patterns that allow adding and changing, such as of "incidents.responder"."""
    return tuple(f"{app}.{act}_{model}" for app, model in (t.split(".") for t in targets) for act in ("add", "change"))


@dataclass(frozen=True, slots=True)
class Role:
    """What a group of people may do. `permissions` are "app.codename", with * for any characters.

    `second_factor` says whether whoever has the role must sign in with a second factor: those who decide or administer.
    """

    slug: str
    name: str
    description: str
    permissions: tuple[str, ...]
    second_factor: bool = True

    def allows(self, permission: str) -> bool:
        """Tell whether the role has the permission "app.codename". Nobody has one to delete."""
        app, _, codename = permission.partition(".")
        if codename.startswith("delete_") or not app:
            return False
        return any(fnmatchcase(permission, pattern) for pattern in self.permissions)


_RESPOND = (
    *VIEW_ALL,
    *_may(
        "incidents.incident", "incidents.responder", "incidents.communication", "incidents.subscription",
        "records.evidence", "runbooks.runbook", "runbooks.runbookversion",
        "runbooks.checklistrun", "runbooks.runstep", "runbooks.configurationmark", "changes.change",
        "maintenance.occurrence", "maintenance.exercise", "maintenance.window", "maintenance.backuprun",
        "actions.actionitem",
    ),
    "maintenance.add_restoretest",
)  # fmt: skip
_LEAD_EVIDENCE = "records.lead_evidence"
_START_DRILL = "incidents.start_drill"
_READ_STATUS = "incidents.read_status"
_REVIEW = _may("assurance.review")
_LEAD = _may(
    "directory.team", "directory.oncallshift", "directory.contact", "directory.contactmethod",
    "directory.notificationrule", "directory.emergencycontact", "directory.system", "directory.recoveryobjective",
    "directory.dependency",
    "directory.channel", "incidents.communicationtemplate", "incidents.audiencemember",
    "directory.schedule", "runbooks.checklist", "runbooks.checklistrule",
)  # fmt: skip

ROLES = (
    Role(
        "stakeholder",
        "Stakeholder",
        "Reads the status page, and nothing else: for anybody in the company.",
        (_READ_STATUS,),
        second_factor=False,
    ),
    Role("responder", "Responder", "Declares and works incidents.", _RESPOND, second_factor=False),
    Role(
        "change-approver", "Change approver", "Decides on changes that others ask for.", (*_RESPOND, *_may("changes.*"))
    ),
    Role(
        "manager",
        "Manager",
        "Keeps people, systems and on-call up to date, and sees what is due.",
        (*_RESPOND, *_LEAD, *_REVIEW, *_may("maintenance.*"), _START_DRILL),
    ),
    Role(
        "security-lead",
        "Security lead",
        "Leads security incidents and keeps who is called for them.",
        (
            *_RESPOND,
            *_LEAD,
            *_REVIEW,
            *_may("incidents.escalation*", "incidents.containmentproposal"),
            _LEAD_EVIDENCE,
            _START_DRILL,
        ),
    ),
    Role("auditor", "Auditor", "Reads what an engagement opens, and changes nothing. Opens nothing by itself.", ()),
    Role(
        "administrator",
        "Administrator",
        "Keeps accounts, severity levels, policies and intake addresses.",
        (
            *(*VIEW_ALL, *VIEW_SIGN_INS, _LEAD_EVIDENCE, _START_DRILL),
            *_may("accounts.user", *(f"{part}.*" for part in PARTS if part != "accounts")),
        ),
    ),
)
BY_SLUG = {role.slug: role for role in ROLES}


def has_role(user: Any, slug: str) -> bool:
    """Tell whether an active account has the role. KeyError is raised for a role that does not exist.

    One query for each instance of the user, none for an anonymous one.
    """
    return BY_SLUG[slug].name in getattr(user, "role_names", frozenset())


def synchronise(using: str = DEFAULT_DB_ALIAS) -> None:
    """Make the group of each role hold exactly the role's permissions. Writes only what differs."""
    group_model, permission_model = apps.get_model("auth.Group"), apps.get_model("auth.Permission")
    known = permission_model.objects.using(using).values_list("content_type__app_label", "codename", "pk")
    everything = {f"{app}.{codename}": pk for app, codename, pk in known}
    with transaction.atomic(using=using):
        kept = {group.name: group for group in group_model.objects.using(using).prefetch_related("permissions")}
        for role in ROLES:
            group = kept.get(role.name) or group_model.objects.using(using).create(name=role.name)
            _hold(group, (pk for permission, pk in everything.items() if role.allows(permission)))


def _hold(group: Any, permissions: Iterable[int]) -> None:
    wanted, held = set(permissions), {permission.pk for permission in group.permissions.all()}
    if wanted != held:
        group.permissions.set(wanted)
