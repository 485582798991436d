"""The addresses under /evidence/."""

from django.urls import path, re_path

from portal.records.evidence import views

app_name = "evidence"

REFERENCE = r"(?P<reference>(?i:EVD)-\d{6,9})"

urlpatterns = [
    path("", views.evidence_list, name="list"),
    path("add/<str:kind>/<int:pk>/", views.collect, name="collect"),
    re_path(rf"^{REFERENCE}/$", views.item, name="item"),
    re_path(rf"^{REFERENCE}/report/$", views.report, name="report"),
    re_path(rf"^{REFERENCE}/file/$", views.download, name="download"),
    re_path(rf"^{REFERENCE}/(?P<verb>[a-z-]+)/$", views.act, name="act"),
]
