"""Calendars out and in: the secret address that a calendar program reads, and a file whose events become shifts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portal.accounts.requests import SignedIn
from portal.accounts.second import not_needed_for
from portal.audit.asking import ReasonField
from portal.directory.enums import FeedTopic
from portal.directory.forms import add_refusal
from portal.directory.models import CalendarFeed, Team
from portal.directory.oncall import ical, reading, taking
from portal.directory.oncall.ical import Out
from portal.directory.oncall.views import feeding
from portal.directory.oncall.views.common import READS, acting_page, done, form_page, own_contact
from portal.lib import clock
from portal.lib.zones import zone_or_utc

CONFIRM_WITHIN = 3600
SALT = "portal.directory.oncall.import"


@not_needed_for
@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """Answer a calendar program. Whoever has the secret reads what its owner may see now; 404 once it is revoked."""
    found, owner = feeding.found_for(secret, topic=FeedTopic.ON_CALL, reads=READS)
    teams = Team.objects.visible_to(owner).filter(active=True)
    teams = teams.filter(pk=found.team_id) if found.team_id else teams
    at = feeding.this_hour()
    return feeding.answer(request, found, _events(found, list(teams), at), at=at)


def _events(found: CalendarFeed, teams: list[Team], at: datetime) -> list[Out]:
    by_pk = {team.pk: team for team in teams}
    events = []
    for pk, line in reading.lines(by_pk, starts=at - feeding.BEHIND, until=at + feeding.AHEAD).items():
        for turn in reading.joined(line.turns()):
            if found.team_id is None and turn.contact_id != found.owner_id:
                continue
            title = f"On call: {by_pk[pk]}" if found.team_id is None else f"{turn.contact} ({by_pk[pk]})"
            uid = f"{by_pk[pk].slug}-{turn.contact_id}-{turn.starts:%Y%m%dT%H%M%S}@watchbook"
            events.append(Out(uid, title, turn.starts, turn.until))
    return events


@never_cache
@require_POST
@login_required
@permission_required(READS, raise_exception=True)
def make_feed(request: SignedIn) -> HttpResponse:
    """Make an address of one's own turns, or of a team's, and show it this once."""
    me, chosen = own_contact(request), request.POST.get("team", "")
    if me is None:
        raise PermissionDenied("Only whoever is in the directory has turns.")
    team = None
    if chosen:
        rows = Team.objects.visible_to(request.user).filter(active=True)
        team = get_object_or_404(rows, pk=chosen if chosen.isdecimal() and len(chosen) < 19 else 0)
    return feeding.make(
        request, me, team, topic=FeedTopic.ON_CALL, view="directory:feed", back="directory:my-duty",
        template="directory/oncall/feed.html",
    )  # fmt: skip


@require_POST
@login_required
@permission_required(READS, raise_exception=True)
def revoke_feed(request: SignedIn, pk: int) -> HttpResponse:
    """Revoke one of one's own addresses; who keeps the schedules revokes anybody's."""
    rows = CalendarFeed.objects.visible_to(request.user)
    if not request.user.has_perm("directory.change_schedule"):
        rows = rows.filter(owner__user_id=request.user.pk)
    return feeding.revoke(request, rows, pk, back="directory:my-duty")


class FileForm(forms.Form):
    """The calendar file."""

    file = forms.FileField(
        label="Calendar file (.ics)",
        help_text="Each event is one turn. People are found by the address of an attendee, or by name in the title.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty. Choose another one."},
    )


class ConfirmForm(forms.Form):
    """What was looked at, signed, and why it is taken in."""

    turns = forms.CharField(widget=forms.HiddenInput)
    reason = ReasonField()


@acting_page(["directory.add_oncallshift", *READS])
def take_in(request: SignedIn, slug: str) -> HttpResponse:
    """Read a file, show what it would do, and do it when confirmed."""
    team = get_object_or_404(Team.objects.visible_to(request.user).filter(active=True), slug=slug)
    now = clock.now()
    if request.method == "POST" and "turns" in request.POST:
        return _confirm(request, team, now)
    sent = request.method == "POST"
    form = FileForm(request.POST if sent else None, request.FILES if sent else None)
    looked: list[taking.Candidate] = []

    def look() -> None:
        upload = form.cleaned_data["file"]
        if upload.size > ical.LARGEST:
            raise ValidationError({"file": f"The file is larger than {ical.LARGEST // 1024} KB."})
        zone = zone_or_utc(timezone.get_current_timezone_name())
        try:
            events = ical.read(upload.read(), starts=now, until=now + taking.HORIZON, zone=zone)
        except ical.Unreadable as problem:
            raise ValidationError({"file": str(problem)}) from None
        if not events:
            raise ValidationError({"file": "The file holds no turn in the next half year. Choose another one."})
        looked.extend(taking.candidates(team, events, at=now))

    if sent and done(form, look):
        return _preview(request, team, looked, now)
    title = f"Take shifts in for {team}"
    return form_page(request, form, title, "Look at the file", icon="upload", multipart=True)


def _preview(request: SignedIn, team: Team, looked: list[taking.Candidate], now: datetime) -> HttpResponse:
    wanted = [
        [one.contact.pk, one.event.starts.isoformat(), one.event.until.isoformat()]
        for one in looked
        if one.contact is not None
    ]
    form = ConfirmForm(initial={"turns": signing.dumps(wanted, salt=_salt(request, team), compress=True)})
    return _confirm_page(request, team, form, now, looked=looked, wanted=len(wanted))


def _confirm(request: SignedIn, team: Team, now: datetime) -> HttpResponse:
    form = ConfirmForm(request.POST)
    try:
        packed = signing.loads(request.POST["turns"], salt=_salt(request, team), max_age=CONFIRM_WITHIN)
    except signing.BadSignature:
        messages.error(request, "What was looked at is older than an hour or was changed. Read the file again.")
        return redirect("directory:import", slug=team.slug)
    turns = [(pk, datetime.fromisoformat(first), datetime.fromisoformat(last)) for pk, first, last in packed]
    if form.is_valid():
        try:
            made = taking.take_in(team, turns, by=request.user, at=now, reason=form.cleaned_data["reason"])
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"{len(made)} of {len(turns)} turns are taken in; the others stood already.")
            return redirect("directory:put-on-call", slug=team.slug)
    return _confirm_page(request, team, form, now, looked=None, wanted=len(turns))


def _salt(request: SignedIn, team: Team) -> str:
    return f"{SALT}:{team.pk}:{request.user.pk}"


def _confirm_page(request: SignedIn, team: Team, form: forms.Form, now: datetime, **more: Any) -> HttpResponse:
    context = {"form": form, "team": team, "now": now, **more}
    return render(request, "directory/oncall/import.html", context, status=422 if form.is_bound else 200)
