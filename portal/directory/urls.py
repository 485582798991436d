"""Addresses of the directory."""

from django.urls import path

from portal.directory import views

app_name = "directory"
urlpatterns = [
    path("directory/systems/", views.systems, name="systems"),
    path("directory/systems/<slug:slug>/", views.system, name="system"),
    path("directory/people/", views.people, name="people"),
    path("directory/teams/<slug:slug>/on-call/", views.put_on_call, name="put-on-call"),
    path("directory/shifts/<int:pk>/end/", views.end_shift, name="end-shift"),
]
