"""Accounts in the admin: who may sign in, and in which roles."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from portal.accounts.models import User
from portal.accounts.roles import ROLES
from portal.audit.admin import GuardedAdmin

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
