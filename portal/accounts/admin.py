"""Accounts in the admin: who may sign in, and in which roles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from portal.accounts import services
from portal.accounts.models import SignIn, User
from portal.accounts.roles import ROLES
from portal.audit.admin import GuardedAdmin, ReadOnlyAdmin, Verb
from portal.audit.middleware import person
from portal.lib import clock

admin.site.unregister(Group)  # roles are changed in code alone


@admin.register(User)
class AccountAdmin(GuardedAdmin[User], UserAdmin):
    """Accounts are added, given roles and deactivated here; nobody but a superuser touches a superuser."""

    list_display = ["username", "full_name", "email", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "groups", "is_staff"]
    filter_horizontal = ()
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password", "is_active"]}),
        ("Person", {"fields": ["first_name", "last_name", "email", "time_zone"]}),
        ("Roles", {"fields": ["groups", "is_staff", "is_superuser"]}),
        ("Moments", {"fields": ["last_login", "date_joined"]}),
    ]

    @admin.display(description="name", ordering="last_name")
    def full_name(self, user: User) -> str:
        """Return first and last name."""
        return user.get_full_name()

    def get_urls(self) -> list[Any]:
        """Add the address of the verb."""
        unlock = self.admin_site.admin_view(require_POST(self.unlock_view))
        return [path("<int:pk>/unlock/", unlock, name="accounts_user_unlock"), *super().get_urls()]

    def verbs(self, request: HttpRequest, obj: User) -> list[Verb]:
        """Return "Unlock sign-in" for somebody who is locked out."""
        if not self.has_change_permission(request, obj) or not services.is_locked(obj):
            return []
        return [Verb("Unlock sign-in", reverse("admin:accounts_user_unlock", args=[obj.pk]), icon="key-round")]

    def unlock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let the person sign in again."""
        user = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        services.unlock(user, by=person(request), at=clock.now())
        self.message_user(request, f"{user} may sign in again.", messages.SUCCESS)
        return redirect("admin:accounts_user_change", pk)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Tell whether the reader may change the account: a superuser's only another superuser."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[Any]:
        """Nobody makes a superuser but a superuser."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else [*fields, "is_superuser"]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the roles of the portal as boxes to tick."""
        if db_field.name == "groups":
            kwargs["queryset"] = Group.objects.filter(name__in=[role.name for role in ROLES])
            kwargs["widget"] = forms.CheckboxSelectMultiple()
            kwargs["label"] = "Roles"
            kwargs["help_text"] = ""
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(SignIn)
class SignInAdmin(ReadOnlyAdmin[SignIn]):
    """Who signed in, when and from where."""

    list_display = ["who", "since", "until", "ip_address"]
    fields = ["who", "since", "until", "ip_address", "user_agent"]
    readonly_fields = ["who", "since", "until"]
    search_fields = ["username", "ip_address"]
    date_hierarchy = "attempt_time"

    @admin.display(description="account", ordering="username")
    def who(self, sign_in: SignIn) -> str:
        """Return the user name that was given."""
        return sign_in.username or ""

    @admin.display(description="signed in", ordering="attempt_time")
    def since(self, sign_in: SignIn) -> datetime:
        """Return when the session began."""
        return sign_in.attempt_time

    @admin.display(description="signed out", ordering="logout_time")
    def until(self, sign_in: SignIn) -> datetime | None:
        """Return when the person signed out, if they did."""
        return sign_in.logout_time
