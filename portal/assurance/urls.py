"""The addresses under /audit/."""

from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter

from portal.assurance.views import asof, engagements, exports, retention, reviews, trail


class KindConverter(StringConverter):
    """A kind of objects in an address: "incidents.incident"."""

    regex = r"[a-z_0-9]+\.[a-z_0-9]+"


class KeyConverter(StringConverter):
    """The key of an object in an address, whatever kind it is of."""

    regex = r"[^/\x00]{1,64}"


register_converter(KindConverter, "kind")
register_converter(KeyConverter, "key")

app_name = "assurance"
urlpatterns: list[URLPattern] = [
    path("", trail.trail, name="trail"),
    path("gestures/<uuid:gesture>/", trail.gesture, name="gesture"),
    path("rows/", trail.rows, name="rows"),
    path("deleted/", trail.deleted, name="deleted"),
    path("as-of/", asof.as_of, name="as-of"),
    path("as-of/<kind:model>/", asof.register, name="register"),
    path("as-of/<kind:model>/<key:object_id>/", asof.object_as_of, name="object-as-of"),
    path("retention/", retention.retention, name="retention"),
    path("roles/", asof.roles, name="roles"),
    path("exports/", exports.export_list, name="exports"),
    path("exports/new/<slug:source>/", exports.ask_for_export, name="ask-for-export"),
    path("exports/<int:pk>/", exports.export_page, name="export"),
    path("exports/<int:pk>/file/", exports.fetch_export, name="fetch-export"),
    path("engagements/", engagements.engagement_list, name="engagements"),
    path("engagements/grant/", engagements.grant, name="grant-engagement"),
    path("engagements/<slug:reference>/", engagements.engagement, name="engagement"),
    path("engagements/<slug:reference>/end/", engagements.end, name="end-engagement"),
    path("engagements/<slug:reference>/records/", engagements.grant_record, name="grant-record"),
    path("engagements/<slug:reference>/records/<int:pk>/close/", engagements.withdraw_record, name="withdraw-record"),
    path("reviews/", reviews.review_list, name="reviews"),
    path("reviews/start/<slug:kind>/", reviews.start, name="start-review"),
    path("reviews/<slug:reference>/", reviews.review, name="review"),
    path("reviews/<slug:reference>/attest/", reviews.attest, name="attest"),
    path("reviews/<slug:reference>/items/<int:number>/", reviews.item, name="review-item"),
    path("reviews/<slug:reference>/items/<int:number>/<slug:verb>/", reviews.decide, name="decide"),
    path("reviews/<slug:reference>/sign/", reviews.sign, name="sign-review"),
    path("reviews/<slug:reference>/hand-over/", reviews.hand_over, name="hand-over"),
    path("reviews/<slug:reference>/call-off/", reviews.call_off, name="call-off"),
    path("reviews/<slug:reference>/result/", reviews.result, name="review-result"),
    path("<kind:model>/<key:object_id>/", trail.story, name="story"),
    path("<kind:model>/<key:object_id>/record/", trail.record, name="record"),
]
