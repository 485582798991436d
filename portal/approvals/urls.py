"""The addresses under /approvals/."""

from django.urls import path, re_path

from portal.approvals import views

app_name = "approvals"

REFERENCE = r"(?P<reference>(?i:APR)-\d{6,9})"

urlpatterns = [
    path("", views.approval_list, name="list"),
    path("ask/<slug:kind>/<int:pk>/", views.ask, name="ask"),
    re_path(rf"^{REFERENCE}/$", views.approval_request, name="request"),
    re_path(rf"^{REFERENCE}/decide/$", views.decide, name="decide"),
    re_path(rf"^{REFERENCE}/withdraw/$", views.withdraw, name="withdraw"),
    re_path(rf"^{REFERENCE}/implementer/$", views.implementer, name="implementer"),
]
