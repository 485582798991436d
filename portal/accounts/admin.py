"""Accounts in the admin: who may sign in, and in which roles."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allauth.account.admin import EmailAddress, EmailConfirmation
from allauth.mfa.admin import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse

from portal.accounts import factors, services, stepup
from portal.accounts.models import SignIn, User
from portal.accounts.roles import ROLES
from portal.audit.actor import acting
from portal.audit.admin import GuardedAdmin, ReadOnlyAdmin, Verb
from portal.audit.asking import ReasonField, ReasonForm, reason_of
from portal.audit.middleware import person
from portal.lib import clock

admin.site.unregister(Group)  # roles are changed in code alone
admin.site.unregister(Authenticator)  # it would show the secrets; the portal's own pages keep second factors
for unused in (EmailAddress, EmailConfirmation):
    if admin.site.is_registered(unused):
        admin.site.unregister(unused)


RESET = (
    "Make sure that it is really them: call them back on a number that you know. Their app, passkeys and recovery "
    "codes stop working, and they are signed out everywhere."
)
WEIGHTY = frozenset({"groups", "is_active", "is_staff", "is_superuser"})


class SetPasswordForm(AdminPasswordChangeForm):
    """A new password for somebody else, and why they need one."""

    change_reason = ReasonField()


@admin.register(User)
class AccountAdmin(GuardedAdmin[User], UserAdmin):
    """Accounts are added, given roles and deactivated here; nobody but a superuser touches a superuser."""

    change_password_form = SetPasswordForm
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
        unlock = self.admin_site.admin_view(self.unlock_view)
        reset = self.admin_site.admin_view(self.reset_factor_view)
        return [
            path("<int:pk>/unlock/", unlock, name="accounts_user_unlock"),
            path("<int:pk>/reset-second-factor/", reset, name="accounts_user_reset_factor"),
            *super().get_urls(),
        ]

    def verbs(self, request: HttpRequest, obj: User) -> list[Verb]:
        """Return "Unlock sign-in" for who is locked out, "Reset second factor" for who may have lost theirs."""
        if not self.has_change_permission(request, obj):
            return []
        found = []
        if services.is_locked(obj, at=clock.now()):
            address = reverse("admin:accounts_user_unlock", args=[obj.pk])
            found.append(Verb("Unlock sign-in", address, post=False, icon="key-round"))
        if obj != request.user and factors.has_factor(obj):
            address = reverse("admin:accounts_user_reset_factor", args=[obj.pk])
            found.append(Verb("Reset second factor", address, post=False, danger=True, icon="smartphone"))
        return found

    def unlock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, and let the person sign in again."""
        user = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            verb = Verb("Unlock sign-in", "", primary=True, icon="key-round")
            text = "Make sure that it was them who typed wrong passwords, and nobody who guesses."
            return self.reason_page(request, user, form, title=f"Let {user} sign in again", text=text, verb=verb)
        services.unlock(user, by=person(request), at=clock.now(), reason=form.cleaned_data["change_reason"])
        self.message_user(request, f"{user} may sign in again.", messages.SUCCESS)
        return redirect("admin:accounts_user_change", pk)

    def reset_factor_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, and remove the second factor of somebody who lost it."""
        user = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        stepup.require_confirmation(request)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            verb = Verb("Reset second factor", "", danger=True, icon="smartphone")
            return self.reason_page(
                request, user, form, title=f"Reset the second factor of {user}", text=RESET, verb=verb
            )
        reason = form.cleaned_data["change_reason"]
        try:
            services.reset_second_factor(user, by=person(request), at=clock.now(), reason=reason)
            self.message_user(request, f"{user} sets up a new second factor at the next sign-in.", messages.SUCCESS)
        except services.Refused as refused:
            self.message_user(request, str(refused), messages.ERROR)
        return redirect("admin:accounts_user_change", pk)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Open an account, after a confirmation: before the form is filled in, for a password is not kept meanwhile."""
        if self.has_add_permission(request):
            stepup.require_confirmation(request)
        return super().add_view(request, form_url, extra_context)

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:  # noqa: FBT001
        """Ask for a confirmation before a role is given or withdrawn, or an account closed or opened again."""
        if WEIGHTY.intersection(form.changed_data):
            stepup.require_confirmation(request)
        return super().save_form(request, form, change)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Set somebody's password, after a confirmation: whoever can do that can sign in as them."""
        stepup.require_confirmation(request)
        with acting(by=person(request), reason=reason_of(request)):
            return super().user_change_password(request, id, form_url)

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

    masked_fields = ("session_hash",)
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
