"""The addresses of incidents."""

from django.urls import path, re_path

from incidents.intake.views import enqueue, intake
from incidents.views.acting import act
from incidents.views.declaring import declare
from incidents.views.links import acknowledge_link
from incidents.views.listing import incident_list
from incidents.views.room import live, room

app_name = "incidents"

REFERENCE = r"(?P<reference>(?i:INC)-\d{6,9})"

urlpatterns = [
    path("incidents/", incident_list, name="list"),
    path("incidents/declare/", declare, name="declare"),
    re_path(rf"^incidents/{REFERENCE}/$", room, name="room"),
    re_path(rf"^incidents/{REFERENCE}/live/$", live, name="live"),
    re_path(rf"^incidents/{REFERENCE}/(?P<verb>[a-z]+)/$", act, name="act"),
    path("a/<str:secret>/", acknowledge_link, name="acknowledge-link"),
    path("intake/<str:secret>/", intake, name="intake"),
    path("intake/<str:secret>", intake),  # a redirect to the slash would lose what was posted
    path("v2/enqueue", enqueue, name="enqueue"),
    path("v2/enqueue/", enqueue),
]
