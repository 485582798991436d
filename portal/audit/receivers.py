"""What the guards do by themselves: stand after every migration, and make room for one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import connections

from portal.audit import guards, trail
from portal.audit.actor import acting
from portal.audit.enums import Action
from portal.audit.guards import roles
from portal.lib.migrated import is_complete

NAMED = 10


def make_room(using: str, plan: list[Any], **_kwargs: Any) -> None:
    """Drop, before tables are rebuilt, the triggers that would keep SQLite from rebuilding what they read."""
    if plan and connections[using].vendor == "sqlite":
        guards.drop_declared(using)


def install_guards(using: str, **signal: Any) -> None:
    """Install what is missing, say so in the trail, and give the running portal's role its grants."""
    installed = guards.install(using)
    if is_complete(signal):
        tell(installed)
    if settings.HAS_OWNER_APART and roles.current_role(using) != settings.RUNTIME_ROLE:
        roles.grant(using, settings.RUNTIME_ROLE)


def tell(installed: list[str]) -> None:
    """Append to the trail that guards were put up."""
    if installed:
        tables = sorted({name.partition(":")[0] for name in installed})
        more = f" and {len(tables) - NAMED} more tables" if len(tables) > NAMED else ""
        with acting(by="system: guards", origin="command"):
            trail.record(
                Action.EVENT,
                event=f"Put up {len(installed)} database guards on {len(tables)} tables",
                reason=f"They did not stand: {', '.join(tables[:NAMED])}{more}",
            )
