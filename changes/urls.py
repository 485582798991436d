"""The addresses of changes."""

from __future__ import annotations

from django.urls import path, re_path

from changes import gatecall
from changes.views import calendar, releasing, templates
from changes.views.acting import act
from changes.views.deciding import decide
from changes.views.drafting import draft, draft_from_template, edit
from changes.views.listing import change_list
from changes.views.report import report
from changes.views.room import change, record
from changes.views.unauthorised import answer_unauthorised, unauthorised

app_name = "changes"

REFERENCE = r"(?P<reference>(?i:CHG)-\d{6,9})"
SLUG = "[-a-zA-Z0-9_]+"

urlpatterns = [
    path("changes/", change_list, name="list"),
    path("changes/draft/", draft, name="draft"),
    path("changes/draft/<slug:slug>/", draft_from_template, name="draft-from-template"),
    path("changes/calendar/", calendar.calendar, name="calendar"),
    path("changes/feeds/", calendar.make_feed, name="make-feed"),
    path("changes/feeds/<int:pk>/revoke/", calendar.revoke_feed, name="revoke-feed"),
    path("changes/feed/<str:secret>.ics", calendar.feed, name="feed"),
    path("changes/report/", report, name="report"),
    path("changes/unauthorised/", unauthorised, name="unauthorised"),
    path("changes/unauthorised/<int:pk>/<slug:verb>/", answer_unauthorised, name="answer-unauthorised"),
    path("changes/templates/", templates.template_list, name="templates"),
    path("changes/templates/<slug:slug>/", templates.template, name="template"),
    path("changes/templates/<slug:slug>/revoke/", templates.revoke_template, name="revoke-template"),
    path("changes/<str:reference>/gates/<slug:gate>/", gatecall.report, name="report-gate"),
    re_path(rf"^changes/{REFERENCE}/$", change, name="change"),
    re_path(rf"^changes/{REFERENCE}/edit/$", edit, name="edit"),
    re_path(rf"^changes/{REFERENCE}/record/$", record, name="record"),
    re_path(rf"^changes/{REFERENCE}/decide/$", decide, name="decide"),
    re_path(rf"^changes/{REFERENCE}/matrix/$", releasing.matrix, name="matrix"),
    re_path(rf"^changes/{REFERENCE}/carry-over/$", releasing.carry, name="carry"),
    re_path(rf"^changes/{REFERENCE}/matrix/(?P<module>{SLUG})/$", releasing.row, name="row"),
    re_path(rf"^changes/{REFERENCE}/matrix/(?P<module>{SLUG})/(?P<check>{SLUG})/$", releasing.cell, name="cell"),
    re_path(rf"^changes/{REFERENCE}/(?P<verb>[a-z]+)/$", act, name="act"),
]
