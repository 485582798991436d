"""Acknowledging by the secret link of a message: two taps at night, without signing in.

GET only shows, because mail scanners open links before people do. POST acts as the person whom the message went to.
The secret itself proves who asks; a request that forged it would have to know it. That is why the form needs no other
token, which a mail program's own browser without cookies, and a page without referrer, could not give.
"""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from incidents import services
from incidents.policy import Refused
from incidents.selectors.links import answering, has_left, incident_of
from portal.accounts.second import not_needed_for
from portal.lib import clock
from portal.lib.zones import zone_or_utc
from portal.notify import services as notify


@not_needed_for
@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def acknowledge_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Show whom and what the link is for; answer the page when its button is pressed."""
    if request.method == "POST":
        refusal = _answer(secret)
        if not refusal or answering(secret, at=clock.now()).used_at:  # a second tap finds what the first has done
            return _private(redirect("incidents:acknowledge-link", secret=secret))
        return _page(request, secret, refusal=refusal, status=409)
    return _page(request, secret)


def _answer(secret: str) -> str:
    """Use the link up and answer the page in one transaction; return the sentence when that is refused."""
    at = clock.database_now()
    try:
        with transaction.atomic():
            link = notify.redeem(secret, at=at)
            incident, contact = incident_of(link), link.message.contact
            if incident is None or contact is None:
                return "There is nothing to acknowledge here. Sign in to see what this was about."
            if not contact.active:
                transaction.set_rollback(True)
                return has_left(contact)
            services.answer_page(incident, by=contact, at=at)
    except (notify.LinkRefused, Refused) as refused:
        return str(refused)
    return ""


def _page(request: HttpRequest, secret: str, *, refusal: str = "", status: int = 200) -> HttpResponse:
    at = clock.now()
    found = answering(secret, at=at)
    if found.incident is None and status == 200:
        status = 410
    context = {"now": at, "found": found, "refusal": refusal}
    # Nobody is signed in: times are shown in the zone of the person whom the message went to.
    with timezone.override(zone_or_utc(found.contact.time_zone) if found.contact else None):
        return _private(render(request, "incidents/acknowledge.html", context, status=status))


def _private(response: HttpResponse) -> HttpResponse:
    """Keep the secret of the address to this page: no referrer, no index, nothing stored."""
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "no-store, private"
    return response
