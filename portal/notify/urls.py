"""Addresses of one's own contact methods and inbox."""

from django.urls import path

from portal.notify.views import inbox, methods, reaching

app_name = "notify"
urlpatterns = [
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/read/", inbox.mark_read, name="mark-read"),
    path("me/contact-methods/rules/<slug:occasion>/", reaching.set_rules, name="set-rules"),
    path("me/contact-methods/hours/", reaching.set_hours, name="set-hours"),
    path("me/contact-methods/test/", reaching.send_test, name="send-test"),
    path("me/contact-methods/", methods.contact_methods, name="contact-methods"),
    path("me/contact-methods/<int:pk>/move/", methods.move_method, name="move-method"),
    path("me/contact-methods/<int:pk>/send-code/", methods.send_code, name="send-code"),
    path("me/contact-methods/<int:pk>/verify/", methods.verify_method, name="verify-method"),
    path("me/contact-methods/<int:pk>/retire/", methods.retire_method, name="retire-method"),
]
