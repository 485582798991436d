"""Addresses of the directory."""

from django.urls import path

from portal.directory import views
from portal.directory.oncall.views import calendars, schedules, swaps
from portal.directory.sheet import views as sheets

app_name = "directory"
urlpatterns = [
    path("directory/systems/", views.systems, name="systems"),
    path("directory/systems/<slug:slug>/", views.system, name="system"),
    path("directory/people/", views.people, name="people"),
    path("directory/teams/<slug:slug>/on-call/", views.put_on_call, name="put-on-call"),
    path("directory/shifts/<int:pk>/end/", views.end_shift, name="end-shift"),
    path("contact-sheet/", sheets.page, name="contact-sheet"),
    path("contact-sheet/file/", sheets.file, name="contact-sheet-file"),
    path("on-call/", schedules.rota, name="on-call"),
    path("on-call/mine/", swaps.mine, name="my-duty"),
    path("on-call/schedules/new/", schedules.add_schedule, name="add-schedule"),
    path("on-call/schedules/<int:pk>/", schedules.schedule, name="schedule"),
    path("on-call/schedules/<int:pk>/retire/", schedules.retire, name="retire-schedule"),
    path("on-call/schedules/<int:pk>/layers/new/", schedules.add_layer, name="add-layer"),
    path("on-call/schedules/<int:pk>/take-over/", schedules.take_over, name="take-over"),
    path("on-call/schedules/<int:pk>/swap/", swaps.ask_swap, name="ask-swap"),
    path("on-call/layers/<int:pk>/change/", schedules.change_layer, name="change-layer"),
    path("on-call/layers/<int:pk>/end/", schedules.end_layer, name="end-layer"),
    path("on-call/teams/<slug:slug>/import/", calendars.take_in, name="import"),
    path("on-call/feeds/", calendars.make_feed, name="make-feed"),
    path("on-call/feeds/<int:pk>/revoke/", calendars.revoke_feed, name="revoke-feed"),
    path("on-call/ical/<str:secret>.ics", calendars.feed, name="feed"),
    path("on-call/swaps/<int:pk>/", swaps.swap, name="swap"),
    path("on-call/swaps/<int:pk>/<slug:verb>/", swaps.answer_swap, name="answer-swap"),
]
