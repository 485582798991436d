"""The authentication backend of engagements: what an auditor may see, as long as an engagement runs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from portal.accounts.models import User
from portal.accounts.roles import has_role
from portal.assurance.scopes import EngagementScope, scope_for
from portal.lib import clock
from portal.lib.visibility import scope_of

AUDITOR = "auditor"


class EngagementBackend(BaseBackend):
    """Gives accounts with the role Auditor the view permissions of their running engagements. It signs nobody in.

    The engagements are read once for each instance of the account, by `User.reading_scope`.
    """

    def reading_scope(self, user: User) -> EngagementScope | None:
        """Return what the account's engagements open now; nothing without the role. Superusers need none."""
        if not user.is_active or user.is_superuser or not has_role(user, AUDITOR):
            return None
        return scope_for(user, at=clock.now())

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return the permissions that the engagements give; none on a single record."""
        scope = scope_of(user_obj) if obj is None else None
        return set(scope.permissions) if isinstance(scope, EngagementScope) else set()

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Tell whether an engagement gives a permission."""
        scope = scope_of(user_obj) if obj is None else None
        return isinstance(scope, EngagementScope) and perm in scope.permissions

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Tell whether an engagement opens anything of an app."""
        return any(permission.startswith(f"{app_label}.") for permission in self.get_all_permissions(user_obj))
