"""The admin site of the portal, and the one source of its navigation: pages and admin lists in the same five groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

KNOWN = require_http_methods(["GET", "HEAD", "POST"])
GROUPS = ("Respond", "Change", "Maintain", "Directory", "Audit")


@dataclass(frozen=True)
class Entry:
    """One line of the navigation: a page by its URL name, else the admin list of a model. `keys` open it: "g i".

    A line with both leads to the page, and is where the reader is on the model's admin pages too. Either permission
    is enough.
    """

    group: str
    label: str
    icon: str
    view: str = ""
    model: str = ""
    permission: str = ""
    or_permission: str = ""
    keys: str = ""
    counter: str = ""


ENTRIES = (
    Entry("Respond", "Now", "radio", view="dashboard:now", keys="g n"),
    Entry(
        "Respond",
        "Incidents",
        "siren",
        view="incidents:list",
        model="incidents.Incident",
        permission="incidents.view_incident",
        keys="g i",
        counter="incidents",
    ),
    Entry("Respond", "Drills", "life-buoy", view="incidents:drills", permission="incidents.view_incident"),
    Entry(
        "Respond",
        "Evidence",
        "fingerprint",
        view="evidence:list",
        model="records.Evidence",
        permission="records.view_evidence",
        keys="g e",
    ),
    Entry(
        "Respond",
        "Checklists",
        "list-checks",
        view="checklists:board",
        model="runbooks.ChecklistRun",
        permission="runbooks.view_runstep",
        keys="g l",
    ),
    Entry(
        "Respond",
        "Runbooks",
        "book-open",
        view="runbooks:list",
        model="runbooks.Runbook",
        permission="runbooks.view_runbook",
        keys="g b",
    ),
    Entry(
        "Respond",
        "Status",
        "activity",
        view="dashboard:status",
        permission="directory.view_system",
        or_permission="incidents.read_status",
        keys="g u",
    ),
    Entry(
        "Respond", "Communications", "megaphone", view="incidents:communications", permission="incidents.view_incident"
    ),
    Entry(
        "Respond",
        "On call",
        "phone",
        view="directory:on-call",
        model="directory.OnCallShift",
        permission="directory.view_schedule",
        keys="g o",
    ),
    Entry("Respond", "Escalation policies", "workflow", model="incidents.EscalationPolicy"),
    Entry(
        "Respond",
        "Sources",
        "webhook",
        view="incidents:sources",
        model="incidents.IntakeToken",
        permission="incidents.view_intaketoken",
        keys="g w",
    ),
    Entry("Respond", "Messages", "send", model="notify.Message", keys="g m"),
    Entry(
        "Directory",
        "Systems",
        "server",
        view="directory:systems",
        model="directory.System",
        permission="directory.view_system",
        keys="g y",
    ),
    Entry(
        "Directory",
        "People and teams",
        "users",
        view="directory:people",
        model="directory.Contact",
        permission="directory.view_contact",
        keys="g p",
    ),
    Entry("Directory", "Readiness", "shield-check", view="dashboard:readiness", keys="g r"),
    Entry(
        "Change",
        "Changes",
        "git-pull-request-arrow",
        view="changes:list",
        model="changes.Change",
        permission="changes.view_change",
        keys="g c",
        counter="changes",
    ),
    Entry(
        "Change",
        "Change calendar",
        "calendar-days",
        view="changes:calendar",
        permission="changes.view_change",
        keys="g k",
    ),
    Entry("Change", "Approvals", "file-check", view="approvals:list", keys="g v", counter="approvals"),
    Entry(
        "Maintain",
        "Due",
        "calendar-clock",
        view="maintenance:due",
        model="maintenance.Occurrence",
        permission="maintenance.view_occurrence",
        keys="g d",
    ),
    Entry(
        "Maintain",
        "Plans",
        "wrench",
        view="maintenance:plans",
        model="maintenance.Plan",
        permission="maintenance.view_plan",
    ),
    Entry(
        "Maintain",
        "Windows",
        "calendar-clock",
        view="maintenance:windows",
        model="maintenance.Window",
        permission="maintenance.view_window",
    ),
    Entry(
        "Maintain",
        "Recovery plans",
        "life-buoy",
        view="maintenance:recovery-plans",
        model="maintenance.RecoveryPlan",
        permission="maintenance.view_recoveryplan",
    ),
    Entry(
        "Maintain",
        "Exercises",
        "heart-pulse",
        view="maintenance:exercises",
        model="maintenance.Exercise",
        permission="maintenance.view_exercise",
        keys="g x",
    ),
    Entry(
        "Maintain",
        "Action items",
        "clipboard-list",
        view="actions:list",
        model="actions.ActionItem",
        permission="actions.view_actionitem",
        keys="g f",
    ),
    Entry(
        "Maintain",
        "Recovery",
        "rotate-ccw",
        view="maintenance:recovery",
        model="maintenance.RestoreTest",
        permission="maintenance.view_backupplan",
    ),
    Entry("Audit", "Trail", "history", view="assurance:trail", permission="audit.view_trailrow", keys="g t"),
    Entry("Audit", "Reviews", "clipboard-check", view="assurance:reviews", permission="audit.view_trailrow"),
    Entry("Audit", "Engagements", "eye", view="assurance:engagements", permission="assurance.view_engagement"),
    Entry("Audit", "Exports", "download", view="assurance:exports", permission="audit.view_trailrow"),
    Entry("Audit", "Retention", "archive", view="assurance:retention", permission="audit.view_trailrow"),
    Entry("Audit", "Accounts", "user-cog", model="accounts.User"),
    Entry("Audit", "Deadlines", "timer", model="deadlines.Deadline"),
    Entry("Audit", "All records", "layers", view="admin:index", keys="g a"),
)

# Where the admin index shows the models of an app; a single model may stand elsewhere.
APP_GROUPS = {
    "incidents": "Respond",
    "notify": "Respond",
    "runbooks": "Respond",
    "actions": "Maintain",
    "approvals": "Change",
    "changes": "Change",
    "maintenance": "Maintain",
    "directory": "Directory",
}
MODEL_GROUPS = dict.fromkeys(
    (
        *("directory.oncallshift", "directory.schedule", "directory.layer", "directory.layermember", "directory.swap"),
        *("records.custodyevent", "records.evidence", "records.evidenceobject", "records.evidencecheck"),
    ),
    "Respond",
)


@dataclass(frozen=True)
class Count:
    """How many wait, with the word that says what they do and a tone when a person is needed: "4 open", red."""

    number: int
    words: str
    tone: str = ""


@dataclass
class NavigationLink:
    """A line of the navigation for one reader. `current` is the value of aria-current, or empty.

    `also` is a second address that the line stands for.
    """

    label: str
    icon: str
    url: str
    keys: str = ""
    count: int = 0
    counted: str = ""
    tone: str = ""
    current: str = ""
    also: str = ""


@dataclass(frozen=True)
class NavigationGroup:
    """A named part of the navigation."""

    label: str
    links: list[NavigationLink]

    @property
    def slug(self) -> str:
        """The name as part of an element's id."""
        return self.label.lower()


class PortalAdminSite(AdminSite):
    """Django's admin under the portal's name, in the portal's shell, behind the portal's own sign-in."""

    site_title = "Watchbook"
    site_header = "Watchbook"
    index_title = "All records"
    enable_nav_sidebar = False
    empty_value_display = '<span class="faint">none</span>'

    def navigation(self, request: HttpRequest, counts: Mapping[str, Count]) -> list[NavigationGroup]:
        """Return the groups that the reader may use, with what waits in them and where the reader is."""
        found: dict[str, list[NavigationLink]] = {group: [] for group in GROUPS}
        for entry in ENTRIES:
            page, records = self._page(request, entry), self._records(request, entry)
            if page or (records and not entry.view):
                found[entry.group].append(_link(entry, page or records, records, counts))
        _mark_current([link for links in found.values() for link in links], request.path)
        return [NavigationGroup(group, links) for group, links in found.items() if links]

    def _page(self, request: HttpRequest, entry: Entry) -> str:
        wanted = [name for name in (entry.permission, entry.or_permission) if name]
        if not entry.view or (wanted and not any(request.user.has_perm(name) for name in wanted)):
            return ""
        if entry.view.startswith("admin:") and not self.has_permission(request):
            return ""
        return _reverse_or_nothing(entry.view)

    def _records(self, request: HttpRequest, entry: Entry) -> str:
        try:
            model = apps.get_model(entry.model) if entry.model else None
        except LookupError:
            return ""
        model_admin = self._registry.get(model) if model is not None else None
        if model is None or model_admin is None or not self.has_permission(request):
            return ""
        if not model_admin.has_view_or_change_permission(request):
            return ""
        return _reverse_or_nothing(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the models in the groups of the navigation; those of one app when `app_label` is given."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        models = [model for app in super().get_app_list(request) for model in app["models"]]
        groups: dict[str, list[Any]] = {group: [] for group in GROUPS}
        for model in sorted(models, key=lambda found: found["name"]):
            groups[_group_of(model["model"])].append(model)
        return [
            {"name": name, "app_label": name.lower(), "app_url": "", "has_module_perms": True, "models": found}
            for name, found in groups.items()
            if found
        ]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - as Django calls it
        """Return the view behind the sign-in; Django's own would read a method that it does not know as GET."""
        return KNOWN(super().admin_view(view, cacheable))

    @method_decorator(KNOWN)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send the reader to the portal's sign-in; whoever is signed in and still not staff is refused."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied("This account does not open the record pages.")
        wanted = request.GET.get("next") or reverse("admin:index", current_app=self.name)
        if request.user.is_authenticated:
            return redirect("admin:index")
        return redirect_to_login(wanted, str(settings.LOGIN_URL))

    @method_decorator(never_cache)
    @method_decorator(require_POST)
    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sign out and show the portal's sign-in."""
        logout(request)
        return redirect(str(settings.LOGOUT_REDIRECT_URL))


def _reverse_or_nothing(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _link(entry: Entry, url: str, also: str, counts: Mapping[str, Count]) -> NavigationLink:
    link = NavigationLink(entry.label, entry.icon, url, entry.keys, also=also)
    count = counts.get(entry.counter) if entry.counter else None
    if count is not None and count.number:
        link.count, link.counted, link.tone = count.number, count.words, count.tone
    return link


def _mark_current(links: list[NavigationLink], path: str) -> None:
    found = [(len(url), link) for link in links for url in (link.url, link.also) if url and _leads_to(url, path)]
    if found:
        nearest = max(found, key=lambda pair: pair[0])[1]
        nearest.current = "page" if nearest.url == path else "true"


def _leads_to(url: str, path: str) -> bool:
    """Whether the address stands for this path: itself, or a page under it unless it is one of the two roots."""
    return path == url or (url not in {"/", reverse("admin:index")} and path.startswith(url))


def _group_of(model: Any) -> str:
    meta = model._meta
    return MODEL_GROUPS.get(meta.label_lower) or APP_GROUPS.get(meta.app_label, "Audit")
