"""The addresses of changes."""

from __future__ import annotations

from django.urls import path

from changes import views

app_name = "changes"

urlpatterns = [
    path("changes/<str:reference>/", views.change, name="change"),
]
