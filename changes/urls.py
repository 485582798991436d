"""The addresses of changes."""

from __future__ import annotations

from django.urls import path

from changes import views
from changes.gatecall import report

app_name = "changes"

urlpatterns = [
    path("changes/<str:reference>/gates/<slug:gate>/", report, name="report-gate"),
    path("changes/<str:reference>/", views.change, name="change"),
]
