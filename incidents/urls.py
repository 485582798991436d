"""The addresses of incidents."""

from django.urls import path, re_path

from incidents.intake.views import enqueue, intake
from incidents.views.acting import act
from incidents.views.communications import communication, tell, withdraw_communication
from incidents.views.declaring import declare, start_drill
from incidents.views.drills import drill_list, drill_report
from incidents.views.following import following, stop_following
from incidents.views.glass import break_glass
from incidents.views.kept import communications
from incidents.views.links import acknowledge_link
from incidents.views.listing import incident_list
from incidents.views.room import live, room
from incidents.views.source_acts import act_on_source
from incidents.views.sources import source_list, source_page, try_payload

app_name = "incidents"

REFERENCE = r"(?P<reference>(?i:INC)-\d{6,9})"

urlpatterns = [
    # Machines first: addresses are looked at in this order, and a storm asks for these alone.
    path("intake/<str:secret>/", intake, name="intake"),
    path("intake/<str:secret>", intake),  # a redirect to the slash would lose what was posted
    path("v2/enqueue", enqueue, name="enqueue"),
    path("v2/enqueue/", enqueue),
    path("v2/change/enqueue", enqueue, {"is_change": True}),
    path("v2/change/enqueue/", enqueue, {"is_change": True}),
    path("incidents/", incident_list, name="list"),
    path("incidents/declare/", declare, name="declare"),
    path("incidents/drills/", drill_list, name="drills"),
    path("incidents/drills/start/", start_drill, name="start-drill"),
    path("incidents/communications/", communications, name="communications"),
    path("incidents/following/", following, name="following"),
    path("incidents/following/<int:pk>/stop/", stop_following, name="stop-following"),
    re_path(rf"^incidents/{REFERENCE}/tell/(?P<audience>[a-z]+)/$", tell, name="tell"),
    re_path(rf"^incidents/{REFERENCE}/messages/(?P<pk>\d{{1,18}})/$", communication, name="communication"),
    re_path(
        rf"^incidents/{REFERENCE}/messages/(?P<pk>\d{{1,18}})/withdraw/$",
        withdraw_communication,
        name="withdraw-communication",
    ),
    re_path(rf"^incidents/{REFERENCE}/$", room, name="room"),
    re_path(rf"^incidents/{REFERENCE}/live/$", live, name="live"),
    re_path(rf"^incidents/{REFERENCE}/drill/$", drill_report, name="drill-report"),
    re_path(rf"^incidents/{REFERENCE}/glass/$", break_glass, name="glass"),
    re_path(rf"^incidents/{REFERENCE}/(?P<verb>[a-z]+)/$", act, name="act"),
    path("sources/", source_list, name="sources"),
    path("sources/try/", try_payload, name="try-payload"),
    path("sources/<int:pk>/", source_page, name="source"),
    path("sources/<int:pk>/<slug:verb>/", act_on_source, name="act-on-source"),
    path("a/<str:secret>/", acknowledge_link, name="acknowledge-link"),
]
