"""The addresses under /checklists/."""

from django.urls import path, re_path

from portal.runbooks.checklists.views import acting, attaching, board, runs, starting, templates
from portal.runbooks.configuration import views as configuration

app_name = "checklists"

RUN = r"^(?P<reference>(?i:CHK)-\d{6,9})"
STEP = rf"{RUN}/(?P<position>\d{{1,4}})"

urlpatterns = [
    path("", board.board, name="board"),
    path("tick/", board.tick_many, name="tick-many"),
    path("runs/", runs.run_list, name="runs"),
    path("templates/", templates.template_list, name="templates"),
    path("templates/new/", templates.new, name="new-template"),
    path("templates/<slug:slug>/", templates.template, name="template"),
    path("templates/<slug:slug>/edit/", templates.edit, name="edit-template"),
    path("configuration/", configuration.systems, name="configuration"),
    path("configuration/<slug:slug>/", configuration.system, name="configuration-of"),
    path("start/", starting.start, name="start"),
    path("start/<slug:kind>/<int:pk>/", starting.start, name="start-for"),
    re_path(rf"{RUN}/$", runs.run, name="run"),
    re_path(rf"{RUN}/live/$", runs.live, name="live"),
    re_path(rf"{RUN}/matrix/$", runs.matrix, name="matrix"),
    re_path(rf"{RUN}/tick/$", acting.tick, name="tick"),
    re_path(rf"{STEP}/$", runs.step, name="step"),
    re_path(rf"{STEP}/upload/$", attaching.upload, name="upload"),
    re_path(rf"{STEP}/(?P<verb>[a-z-]+)/$", acting.act_on_step, name="act-on-step"),
    re_path(rf"{RUN}/(?P<verb>end|resume)/$", acting.act_on_run, name="act-on-run"),
]
