"""Who must have a second factor, whether this session showed one, and the way to it.

A role says whether it needs one: see `Role.second_factor`. A sign-in shows it between password and session, and
enrolling shows it too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from portal.accounts import factors, stepup
from portal.accounts.models import User
from portal.accounts.roles import ROLES

MARK = "second_factor"
NEED_ONE = frozenset(role.name for role in ROLES if role.second_factor)
V = TypeVar("V", bound=Callable[..., Any])


def not_needed_for(view: V) -> V:
    """Let a view answer whoever still owes a second factor: the way to it, the way out, and what machines ask for."""
    view.no_second_factor = True  # type: ignore[attr-defined]
    return view


def needs_one(user: Any) -> bool:
    """Tell whether the account must have a second factor: for its roles, or as a superuser. One query at most."""
    if settings.SECOND_FACTOR != "required" or not isinstance(user, User) or not user.is_active:
        return False
    return user.is_superuser or not NEED_ONE.isdisjoint(user.role_names)


def show(request: HttpRequest, user: User, kind: str, *, at: datetime) -> None:
    """Remember in the session that this account showed a second factor."""
    request.session[MARK] = {"user": user.pk, "kind": kind, "at": at.timestamp()}


def was_shown(request: HttpRequest) -> bool:
    """Tell whether a second factor of this account was shown in this session."""
    mark = request.session.get(MARK)
    return isinstance(mark, dict) and mark.get("user") == request.user.pk


def is_owed(request: HttpRequest) -> bool:
    """Tell whether the reader must show a second factor before anything else."""
    return request.user.is_authenticated and not was_shown(request) and needs_one(request.user)


def lead(request: HttpRequest) -> HttpResponse:
    """Return the way to the second factor: enrolment, or the sign-in when the account has one already."""
    question = urlencode({"next": stepup.page_of(request)})
    if isinstance(request.user, User) and factors.has_factor(request.user):
        logout(request)
        return stepup.lead(request, f"{settings.LOGIN_URL}?{question}")
    return stepup.lead(request, f"{reverse('accounts:factors')}?{question}")
