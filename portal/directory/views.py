"""Pages of the directory: systems, people and teams, who is on call."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.requests import SignedIn
from portal.audit.asking import ReasonForm
from portal.directory import pages, services
from portal.directory.forms import PutOnCallForm, add_refusal
from portal.directory.models import Contact, OnCallShift, System, Team
from portal.directory.recovery import reading
from portal.lib import clock, times

PAGE = 50
NOBODY = "nobody"


@require_safe
@login_required
@permission_required("directory.view_system", raise_exception=True)
def systems(request: SignedIn) -> HttpResponse:
    """List the systems with who owns them and who is on call. `?owner=` narrows to one team, or to nobody."""
    now = clock.now()
    owner = request.GET.get("owner", "")
    teams = Team.objects.visible_to(request.user).annotate(owned=Count("systems", filter=Q(systems__active=True)))
    rows = System.objects.visible_to(request.user).filter(active=True)
    unowned = rows.filter(owner=None).count()
    if owner == NOBODY:
        rows = rows.filter(owner=None)
    elif owner:
        rows = rows.filter(owner__slug=owner)
    page = Paginator(rows.select_related("owner", "parent", "objective"), PAGE).get_page(request.GET.get("page"))
    context = {
        "now": now,
        "page": page,
        "rows": pages.system_rows(page.object_list, at=now),
        "teams": teams.filter(owned__gt=0).order_by("name"),
        "owner": owner,
        "unowned": unowned,
    }
    return render(request, "directory/systems.html", context)


@require_safe
@login_required
@permission_required("directory.view_system", raise_exception=True)
def system(request: SignedIn, slug: str) -> HttpResponse:
    """Show one system: its facts, its parts, who answers for it."""
    now = clock.now()
    found = get_object_or_404(
        System.objects.visible_to(request.user).select_related("owner", "parent", "calendar", "objective"), slug=slug
    )
    duty = pages.duties([found.owner_id], at=now)[found.owner_id] if found.owner_id else pages.Duty()
    may_know = found.active and request.user.has_perm("directory.view_recoverystanding")
    context = {
        "now": now,
        "system": found,
        "objective": getattr(found, "objective", None),
        "standing": reading.standing_of(found, at=now, user=request.user) if may_know else None,
        "parts": System.objects.visible_to(request.user).filter(parent=found, active=True).select_related("owner"),
        "duty": duty,
        "emergency": pages.emergency_table(found, user=request.user),
    }
    return render(request, "directory/system.html", context)


@require_safe
@login_required
@permission_required(["directory.view_team", "directory.view_contact"], raise_exception=True)
def people(request: SignedIn) -> HttpResponse:
    """List the teams with who is on call until when, and the people with how they are reached."""
    now = clock.now()
    teams = (
        Team.objects.visible_to(request.user)
        .filter(active=True)
        .annotate(people=Count("members", filter=Q(members__active=True)))
    )
    contacts = Contact.objects.visible_to(request.user).filter(active=True).prefetch_related("teams")
    page = Paginator(contacts.order_by("name", "id"), PAGE).get_page(request.GET.get("page"))
    context = {
        "now": now,
        "teams": pages.team_rows(teams.order_by("name"), at=now),
        "page": page,
        "people": pages.person_rows(page.object_list, user=request.user),
        "may_put": request.user.has_perm("directory.add_oncallshift"),
    }
    return render(request, "directory/people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required(["directory.view_team", "directory.view_contact"], raise_exception=True)
def put_on_call(request: SignedIn, slug: str) -> HttpResponse:
    """Show who is on call for one team and who follows; with the right to, put somebody on call by hand."""
    now = clock.now()
    team = get_object_or_404(Team.objects.visible_to(request.user), slug=slug)
    may_put = request.user.has_perm("directory.add_oncallshift")
    if request.method == "POST" and not may_put:
        raise PermissionDenied
    sent = request.method == "POST"
    form = PutOnCallForm(request.POST if sent else None, team=team, user=request.user, at=now)
    if sent and form.is_valid() and _put(request, team, form):
        return redirect(f"{reverse('directory:people')}#team-{team.slug}")
    context = {
        "now": now,
        "team": team,
        "duty": pages.duties([team.pk], at=now)[team.pk],
        "shifts": services.running_shifts([team.pk], at=now).get(team.pk, []),
        "form": form,
        "may_put": may_put,
        "may_end": request.user.has_perm("directory.change_oncallshift"),
    }
    return render(request, "directory/put_on_call.html", context, status=422 if sent else 200)


def _put(request: SignedIn, team: Team, form: PutOnCallForm) -> bool:
    """Put the person on call, and tell what came of it; False when it was refused, with the sentence in the form."""
    now = clock.now()
    given = form.cleaned_data
    try:
        shift = services.put_on_call(
            team,
            given["contact"],
            starts=given["starts"] or now,
            until=given["until"],
            by=request.user,
            at=now,
            reason=given["reason"],
        )
    except ValidationError as refusal:
        add_refusal(form, refusal)
        return False
    when = f"{times.day(shift.until, now)}, {times.clock(shift.until)}"
    messages.success(request, f"{shift.contact} is on call for {team} until {when}.")
    others = list(dict.fromkeys(one.contact.name for one in services.overlapping(shift)))
    if others:
        messages.warning(
            request,
            f"It overlaps with what {', '.join(others)} took over by hand. Whoever started last is paged; withdraw "
            "what is too much.",
        )
    if shift.contact_id not in services.sending_methods([shift.contact_id]):
        messages.warning(request, f"{shift.contact} has no verified contact method. No message reaches them yet.")
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("directory.change_oncallshift", raise_exception=True)
def end_shift(request: SignedIn, pk: int) -> HttpResponse:
    """Ask why a running shift ends now, or one that has not begun is withdrawn, and do it."""
    shift = get_object_or_404(OnCallShift.objects.visible_to(request.user).select_related("team", "contact"), pk=pk)
    now = clock.now()
    sent = request.method == "POST"
    form = ReasonForm(request.POST if sent else None)
    if not sent or not form.is_valid():
        context = {"now": now, "shift": shift, "form": form, "running": shift.starts <= now}
        return render(request, "directory/end_shift.html", context, status=422 if sent else 200)
    try:
        ended = services.end_shift(shift, by=request.user, at=now, reason=form.cleaned_data["change_reason"])
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        done = "will not be on call" if ended.withdrawn else "is no longer on call"
        messages.success(request, f"{shift.contact} {done} for {shift.team}.")
        if services.on_call(shift.team, at=now) is None:
            messages.warning(request, f"Nobody is on call for {shift.team} now.")
    return redirect("directory:put-on-call", slug=shift.team.slug)
