"""The addresses of the portal."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("incidents.urls")),  # first: a storm of alerts asks for its addresses
    path("", include("portal.dashboard.urls")),
    path("", include("portal.accounts.urls")),
    path("", include("portal.directory.urls")),
    path("", include("portal.notify.urls")),
    path("", include("changes.urls")),
    path("", include("maintenance.urls")),
    path("actions/", include("portal.actions.urls")),
    path("approvals/", include("portal.approvals.urls")),
    path("runbooks/", include("portal.runbooks.urls")),
    path("checklists/", include("portal.runbooks.checklists.urls")),
    path("evidence/", include("portal.records.evidence.urls")),
    path("audit/", include("portal.assurance.urls")),
    path("admin/", admin.site.urls),
]
