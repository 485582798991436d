"""Addresses of one's own contact methods and inbox."""

from django.urls import path

from portal.notify import views

app_name = "notify"
urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/read/", views.mark_read, name="mark-read"),
    path("me/contact-methods/", views.contact_methods, name="contact-methods"),
    path("me/contact-methods/<int:pk>/move/", views.move_method, name="move-method"),
    path("me/contact-methods/<int:pk>/send-code/", views.send_code, name="send-code"),
    path("me/contact-methods/<int:pk>/verify/", views.verify_method, name="verify-method"),
    path("me/contact-methods/<int:pk>/retire/", views.retire_method, name="retire-method"),
]
