"""What is done after migrations, and what the trail keeps of signing in and out, by whatever route.

Roles follow the code: they are synchronised after the last app was migrated, when every permission is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.http import HttpRequest

from portal.accounts import events, rights, roles, sessions
from portal.accounts.models import User
from portal.audit.actor import acting, current
from portal.lib import clock
from portal.lib.migrated import is_complete

REASON = "Roles and permissions follow the code"
WRONG = "Wrong user name or password"
LOCKED = "sign-in locked from that address"


def synchronise_roles(sender: AppConfig, using: str, **signal: Any) -> None:
    """Make the roles' groups, once for each run of migrate or flush. Does nothing while tables are missing.

    Permissions and groups that Django made in bulk begin their history here, as whoever runs the command.
    """
    last = [config for config in apps.get_app_configs() if config.models_module is not None][-1]
    if sender.label != last.label or not is_complete(signal):
        return
    create_permissions(sender, verbosity=0, using=using)  # Django's own receiver may only come after this one
    here = current()
    with acting(by=here.actor if here is not None else "system: roles", reason=REASON, origin="command"):
        rights.record_new()
        roles.synchronise(using=using)


def record_sign_in(request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Begin the session that Django just opened, and record it."""
    sessions.begin(request.session, at=clock.now())
    events.signed_in(request, user, how=getattr(request, "signed_in_with", "password"))


def record_refusal(credentials: Mapping[str, Any], request: HttpRequest | None = None, **_kwargs: Any) -> None:
    """Record that user name and password did not fit, and when that locks the sign-in or lets the next try wait.

    While it is locked, tries are counted by django-axes and not told one by one: nobody fills the trail from outside.
    """
    if request is None:
        events.refused(None, str(credentials.get("username") or ""), why=WRONG)
        return
    before = AxesProxyHandler.get_failures(request, credentials)  # this try is counted after us
    if before < settings.AXES_FAILURE_LIMIT:
        locks = LOCKED if before + 1 >= settings.AXES_FAILURE_LIMIT else ""
        why = "; ".join(filter(None, (WRONG, locks, getattr(request, "sign_in_waits", ""))))
        events.refused(request, str(credentials.get("username") or ""), why=why)


def record_sign_out(request: HttpRequest, user: User | None, **_kwargs: Any) -> None:
    """Record that a session ended, and why when it was not the person who ended it."""
    if user is not None:
        events.signed_out(request, user, why=getattr(request, "ended_because", ""))
