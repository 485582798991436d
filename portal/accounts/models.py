"""The account a person signs in with."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from secrets import token_urlsafe
from typing import Any, ClassVar

from axes.models import AccessLog
from django.contrib.auth import get_backends
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models, transaction
from django.db.models import CharField, Value
from django.db.models.base import ModelBase
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property

from portal.accounts import rights
from portal.accounts.tries import SignInTries
from portal.audit.actor import Actor
from portal.audit.models import AuditedModel, AuditedQuerySet, AuditHistory
from portal.lib.zones import validate_zone

__all__ = ["AccountHistory", "AccountManager", "SignIn", "SignInTries", "User", "end_sessions", "new_stamp", "rights"]
STORED_ANEW = "Password stored anew"
ENDS_SESSIONS = frozenset({"is_active", "is_staff", "is_superuser"})


def new_stamp() -> str:
    """Return a stamp that no session bears."""
    return token_urlsafe(12)


class AccountHistory(AuditHistory):
    """The history of accounts: a role given or withdrawn, by whatever route, ends the account's sessions."""

    def m2m_changed(self, instance: Any, action: str, attr: str, pk_set: set[Any] | None, **kwargs: Any) -> None:
        """Record the change, and let the instance that it was made from know its new stamp."""
        super().m2m_changed(instance, action, attr, pk_set, **kwargs)
        if action.startswith("post_") and isinstance(instance, User):
            instance.refresh_from_db(fields=["session_stamp"])
            for answer in ("role_names", "_group_perm_cache", "_user_perm_cache", "reading_scope"):
                instance.__dict__.pop(answer, None)

    def _record_owners(self, field: Any, **changes: Any) -> None:
        super()._record_owners(field, **changes)
        if field.name == "groups":
            end_sessions((changes.get("left") or changes.get("came") or {}).keys())


class AccountManager(UserManager.from_queryset(AuditedQuerySet)):  # type: ignore[misc]
    """Django's user manager over audited rows."""


class User(AuditedModel, AbstractUser):
    """Somebody who can sign in. Accounts are deactivated, never deleted.

    Roles are the account's groups: see portal.accounts.roles.
    """

    privileged: ClassVar[bool] = True
    audited_m2m: ClassVar[list[str]] = ["groups", "user_permissions"]
    self_explaining: ClassVar[frozenset[str]] = frozenset({STORED_ANEW})

    time_zone = models.CharField(
        max_length=64,
        default="Europe/London",
        validators=[validate_zone],
        help_text="Times are shown to this person in this zone.",
    )

    # What history leaves out: none of it says what somebody may do.
    session_stamp = models.CharField(max_length=32, blank=True, default="", editable=False)
    proofs_refused = models.PositiveSmallIntegerField(default=0, editable=False)
    proofs_refused_since = models.DateTimeField(null=True, blank=True, editable=False)

    _renewed: str = ""  # the hash that is being stored in place of an older one of the same password

    objects: ClassVar[Any] = AccountManager()
    history: ClassVar[Any] = AccountHistory(
        excluded_fields=["password", "last_login", "session_stamp", "proofs_refused", "proofs_refused_since"]
    )

    class Meta(AbstractUser.Meta):
        verbose_name = "account"
        verbose_name_plural = "accounts"

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Save the account; opening or closing it, or another reach than before, ends its sessions."""
        if not (self._state.adding or force_insert):
            names = None if update_fields is None else frozenset(update_fields)
            if ENDS_SESSIONS & set(self.changed_fields(names)):
                self.session_stamp = new_stamp()
                names = None if names is None else names | {"session_stamp"}
            update_fields = names
        super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=update_fields)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what each session of this account bears: another one after a new password and a new stamp.

        Django compares them at each request, and on each kind of session store alike.
        """
        bears = f"{self.password}:{self.session_stamp}"
        return salted_hmac("portal.accounts.User.session", bears, secret=secret, algorithm="sha256").hexdigest()

    def as_actor(self) -> Actor:
        """Return this person as the record names them."""
        return Actor(name=str(self), user_id=self.pk)

    @cached_property
    def role_names(self) -> frozenset[str]:
        """Return the names of this account's roles; none for an inactive one. Asked once for each instance.

        Every page asks next what these roles permit, and what the account itself is permitted: the same query answers
        that, and ModelBackend finds the answers where it would keep its own.
        """
        if not self.is_active:
            return frozenset()
        by_role = self.groups.values_list("name", "permissions__content_type__app_label", "permissions__codename")
        own = self.user_permissions.order_by().annotate(role=Value("", CharField(max_length=150)))
        held = list(by_role.union(own.values_list("role", "content_type__app_label", "codename"), all=True))
        if not self.is_superuser:
            self._group_perm_cache = {f"{app}.{codename}" for name, app, codename in held if name and codename}
            self._user_perm_cache = {f"{app}.{codename}" for name, app, codename in held if not name}
        return frozenset(name for name, *_ in held if name)

    @cached_property
    def reading_scope(self) -> Any:
        """Return within what this account may read beyond its roles, from the backend that grants it; else None.

        See portal.lib.visibility.ReadingScope. Asked once for each instance.
        """
        found = (backend.reading_scope(self) for backend in get_backends() if hasattr(backend, "reading_scope"))
        return next((scope for scope in found if scope is not None), None)

    def audit_event(self, changed: Collection[str]) -> str:
        """Return "Password changed", or what else became of a password whose value history leaves out."""
        if "password" not in changed:
            return ""
        return STORED_ANEW if self.password == self._renewed else "Password changed"

    def check_password(self, raw_password: str | None) -> bool:
        """Tell whether this is the password; renew its hash when it was made in an older way.

        A hash that was renewed here, and no other, is told as the same password stored anew. It is not written when
        the stored one is no longer the one that was proved.
        """
        return check_password(raw_password, self.password, self._renew)

    def _renew(self, raw_password: str) -> None:
        proved = self.password
        with transaction.atomic():
            rows = User.objects.select_for_update(no_key=True).filter(pk=self.pk)
            if rows.values_list("password", flat=True).first() != proved:
                return
            self.password = self._renewed = make_password(raw_password)
            try:
                self.save(update_fields=["password"])
            finally:
                self._renewed = ""


def end_sessions(keys: Collection[int]) -> None:
    """End every session of these accounts. It is no change of what history tells of them."""
    # The plain QuerySet on purpose: the stamp is a column that history leaves out.
    models.QuerySet(User).filter(pk__in=keys).update(session_stamp=new_stamp())


class SignIn(AccessLog):
    """One sign-in: who, when and from where, as django-axes kept it."""

    class Meta:
        proxy = True
        verbose_name = "sign-in"

    def __str__(self) -> str:
        return f"{self.username} {self.attempt_time:%Y-%m-%d %H:%M}"
