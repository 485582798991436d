"""The addresses of action items."""

from __future__ import annotations

from django.urls import path, re_path

from portal.actions import views

app_name = "actions"

REFERENCE = r"(?P<reference>(?i:ACT)-\d{6,9})"

urlpatterns = [
    path("", views.listing, name="list"),
    path("new/", views.open_item, name="open"),
    re_path(rf"^{REFERENCE}/$", views.item, name="item"),
    re_path(rf"^{REFERENCE}/(?P<verb>[a-z-]+)/$", views.act, name="act"),
]
