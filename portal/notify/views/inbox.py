"""What the portal has told me."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.requests import SignedIn
from portal.lib import clock
from portal.notify import services
from portal.notify.compose import ACTION_LINK
from portal.notify.models import Message
from portal.notify.telling import as_read
from portal.notify.views.own import own_contact

PAGE = 25
MARKED_AT_ONCE = 200


@require_safe
@login_required
def inbox(request: SignedIn) -> HttpResponse:
    """Show the reader's messages, those not yet read first."""
    mine = services.inbox_of(request.user)
    ordered = mine.alias(is_read=Q(read_at__isnull=False)).order_by("is_read", "-created_at", "-id")
    page = Paginator(ordered, PAGE).get_page(request.GET.get("page"))
    context = {
        "now": clock.now(),
        "page": page,
        "rows": [(message, text_inside(message)) for message in as_read(list(page.object_list), request.user)],
        "unread": mine.filter(read_at=None).count(),
        "has_contact": own_contact(request) is not None,
    }
    return render(request, "notify/inbox.html", context)


def text_inside(message: Message) -> str:
    """Return the body as the inbox shows it: without the line that carries the secret link of a mail."""
    return "\n".join(line for line in message.body.splitlines() if ACTION_LINK not in line).strip()


@require_POST
@login_required
def mark_read(request: SignedIn) -> HttpResponse:
    """Mark the messages named by `id` as read, or with `all` every one."""
    if "all" in request.POST:
        ids = list(services.inbox_of(request.user).filter(read_at=None).values_list("pk", flat=True))
    else:
        given = request.POST.getlist("id")[:MARKED_AT_ONCE]
        ids = [int(text) for text in given if text.isascii() and text.isdigit() and len(text) < 19]
    count = services.mark_read(request.user, ids, at=clock.now())
    if count > 1:
        messages.success(request, f"{count} messages marked as read.")
    return redirect("notify:inbox")
