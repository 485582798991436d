"""With which rights a file was made: whoever has lost one of them since does not fetch it any more."""

from __future__ import annotations

from portal.accounts.models import User
from portal.assurance.scopes import EngagementScope
from portal.lib.visibility import scope_of


def of(user: User) -> frozenset[str]:
    """Return what widens what an account may see: roles, running engagements, records granted by name."""
    scope = scope_of(user)
    granted = scope.grants if isinstance(scope, EngagementScope) else frozenset()
    roles = {f"role {name}" for name in user.groups.order_by().values_list("name", flat=True)}
    return granted | roles | ({"superuser"} if user.is_superuser else frozenset())
