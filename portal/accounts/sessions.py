"""How long a sign-in lasts: until it was not used for a while, and never longer than a day's work.

Both limits are kept by the server. Deactivation, a role given or withdrawn, and a new password end an account's
sessions at once: the stamp that each of them bears is then no longer the account's, see `User.get_session_auth_hash`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from portal.lib import durations

BEGAN, USED = "signed_in_at", "last_used_at"
NOTED_EVERY = timedelta(minutes=1)  # a click within a minute of the last one is not written down


def begin(session: SessionBase, *, at: datetime) -> None:
    """Remember when somebody signed in."""
    session[BEGAN] = session[USED] = at.timestamp()


def began_at(session: SessionBase) -> datetime | None:
    """Return when the person signed in; None for a session that does not say."""
    began = session.get(BEGAN)
    return datetime.fromtimestamp(began, UTC) if isinstance(began, int | float) else None


def why_over(session: SessionBase, *, at: datetime) -> str:
    """Return why the session ends now, as the trail says it; "" while it lasts."""
    began, used = session.get(BEGAN), session.get(USED)
    if not isinstance(began, int | float) or not isinstance(used, int | float):
        return "it did not say when it began"
    if at.timestamp() - began >= settings.SESSION_LASTS.total_seconds():
        return f"{durations.words(settings.SESSION_LASTS.total_seconds())} after it began"
    if at.timestamp() - used >= settings.SESSION_IDLE.total_seconds():
        return f"{durations.words(settings.SESSION_IDLE.total_seconds())} without use"
    return ""


def note_use(request: HttpRequest, *, at: datetime) -> None:
    """Remember that the session was used just now. A page that refreshes parts of itself uses nothing."""
    if request.method == "GET" and request.headers.get("HX-Request") == "true":
        return
    used = request.session.get(USED, 0)
    if abs(at.timestamp() - used) >= NOTED_EVERY.total_seconds():
        request.session[USED] = at.timestamp()
