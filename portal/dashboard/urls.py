"""The addresses of the dashboard."""

from __future__ import annotations

from django.urls import path

from portal.dashboard import views

app_name = "dashboard"

urlpatterns = [
    path("", views.now, name="now"),
    path("status/", views.status_page, name="status"),
    path("readiness/", views.readiness, name="readiness"),
    path("jump/", views.jump, name="jump"),
    path("search/", views.search, name="search"),
    path("search/live/", views.live_search, name="live-search"),
    path("keys/", views.keys, name="keys"),
    path("healthz/", views.healthz, name="healthz"),
]
