"""The account a person signs in with."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from axes.models import AccessLog
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils.functional import cached_property

from portal.audit.actor import Actor
from portal.audit.models import AuditedModel, AuditedQuerySet, AuditHistory
from portal.lib.zones import validate_zone


class AccountManager(UserManager.from_queryset(AuditedQuerySet)):  # type: ignore[misc]
    """Django's user manager over audited rows."""


class User(AuditedModel, AbstractUser):
    """Somebody who can sign in. Accounts are deactivated, never deleted.

    Roles are the account's groups: see portal.accounts.roles.
    """

    privileged: ClassVar[bool] = True
    audited_m2m: ClassVar[list[str]] = ["groups", "user_permissions"]

    time_zone = models.CharField(
        max_length=64,
        default="Europe/London",
        validators=[validate_zone],
        help_text="Times are shown to this person in this zone.",
    )

    objects: ClassVar[Any] = AccountManager()
    history: ClassVar[Any] = AuditHistory(excluded_fields=["password", "last_login"])

    class Meta(AbstractUser.Meta):
        verbose_name = "account"
        verbose_name_plural = "accounts"

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def as_actor(self) -> Actor:
        """Return this person as the record names them."""
        return Actor(name=str(self), user_id=self.pk)

    @cached_property
    def role_names(self) -> frozenset[str]:
        """Return the names of this account's roles; none for an inactive one. Asked once for each instance."""
        return frozenset(self.groups.values_list("name", flat=True)) if self.is_active else frozenset()

    def audit_event(self, changed: Collection[str]) -> str:
        """Return "Password changed", or what else became of a password whose value history leaves out."""
        if "password" not in changed:
            return ""
        if getattr(self, "_password", None) is None and self.has_usable_password():
            return "Password stored anew"  # Django renews the hash at a sign-in; the password is the same
        return "Password changed"


class SignIn(AccessLog):
    """One sign-in: who, when and from where, as django-axes kept it."""

    class Meta:
        proxy = True
        verbose_name = "sign-in"

    def __str__(self) -> str:
        return f"{self.username} {self.attempt_time:%Y-%m-%d %H:%M}"
