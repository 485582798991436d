"""Addresses of runbooks."""

from django.urls import path

from portal.runbooks.views import acting, importing, reading, writing

app_name = "runbooks"
urlpatterns = [
    path("", reading.runbooks, name="list"),
    path("new/", writing.new, name="new"),
    path("import/", importing.take_in, name="import"),
    path("<str:reference>/", reading.runbook, name="runbook"),
    path("<str:reference>/edit/", writing.edit, name="edit"),
    path("<str:reference>/compare/", reading.compare, name="compare"),
    path("<str:reference>/act/<slug:verb>/", acting.act_on_runbook, name="act"),
    path("<str:reference>/versions/<int:number>/", reading.version, name="version"),
    path("<str:reference>/versions/<int:number>/export/", reading.export, name="export"),
    path("<str:reference>/versions/<int:number>/<slug:verb>/", acting.act_on_version, name="act-on-version"),
]
