"""The recovery page, one system of it, and its restore tests."""

from __future__ import annotations

import csv
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from maintenance import services
from maintenance.enums import PlanState
from maintenance.forms.recovery import RestoreForm
from maintenance.models import RecoveryPlan, RestoreTest
from maintenance.policy import Refused
from maintenance.selectors.recovery import Asked, backups_of, is_silent, next_of, page_of, proofs_of
from maintenance.services.common import once
from portal.accounts.requests import SignedIn
from portal.approvals import services as approvals
from portal.audit.trail import record_opening
from portal.directory.models import Dependency, RecoveryProof, System
from portal.directory.recovery import reading
from portal.lib import clock
from portal.lib.cells import in_csv
from portal.records.evidence.selectors import section_of

READS = ("directory.view_system", "maintenance.view_backupplan")
MOST = 50
HEADS = (
    *("system", "owner", "RTO (min)", "RPO (min)", "MTD (min)", "newest verified data", "exposure (min)", "exposed"),
    *("proven", "why", "verdict", "last proof", "measured at", "next test", "next exercise"),
    "silent backups",
)


@require_safe
@never_cache
@login_required
@permission_required(READS, raise_exception=True)
def recovery(request: SignedIn) -> HttpResponse:
    """Show every system with what is promised, what is proven, and what would be lost now."""
    at = clock.now()
    asked = Asked.of(request.GET)
    context = {
        "now": at,
        "asked": asked,
        "page": page_of(request.user, asked, at=at),
        "previous": asked.address(page=str(asked.page - 1)) if asked.page > 1 else "",
        "following": asked.address(page=str(asked.page + 1)),
        "may_test": request.user.has_perm("maintenance.add_restoretest"),
    }
    return render(request, "maintenance/recovery.html", context)


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def table(request: SignedIn) -> HttpResponse:
    """Answer the same systems as a CSV file."""
    at = clock.now()
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="recovery.csv"'
    answer.write("\ufeff")
    writer = csv.writer(answer, quoting=csv.QUOTE_ALL)
    writer.writerow(HEADS)
    for row in page_of(request.user, Asked.of(request.GET), at=at, whole=True).rows:
        writer.writerow([in_csv(cell) for cell in _cells(row)])
    return answer


def _cells(row: Any) -> list[Any]:
    standing, proof = row.standing, row.standing.proof
    spans = (standing.promise.rto, standing.promise.rpo, standing.promise.mtd)
    return [
        row.system.name, row.system.owner or "", *(_minutes(span) for span in spans),
        standing.newest_data_at or "", _minutes(standing.exposure), standing.exposed.label,
        "yes" if standing.judged.is_proven else "no", standing.judged.reason, standing.judged.verdict.label,
        proof.reference if proof else "", proof.at if proof else "", row.next_test.due_at if row.next_test else "",
        row.next_exercise.scheduled_for if row.next_exercise else row.exercise_due.due_at if row.exercise_due else "",
        ", ".join(plan.reference for plan in row.silent),
    ]  # fmt: skip


def _minutes(span: Any) -> Any:
    return "" if span is None else int(span.total_seconds() // 60)


@require_safe
@never_cache
@login_required
@permission_required(READS, raise_exception=True)
def system(request: SignedIn, slug: str) -> HttpResponse:
    """Show one system's recovery: promise, what it stands on, backups, and everything that was measured."""
    at = clock.now()
    found = _system(request, slug)
    promised = reading.promises()
    standing = reading.standings([found.pk], at=at, user=request.user, promised=promised)[found.pk]
    names = dict(System.objects.visible_to(request.user).filter(active=True).values_list("pk", "name"))
    conflicts = [
        one.sentence(names)
        for one in reading.conflicting(promised, user=request.user)
        if found.pk in {one.top, one.base}
    ]
    plans = backups_of(request.user, [found.pk]).get(found.pk, [])
    needs = Dependency.objects.visible_to(request.user).select_related("system", "needs")
    objective = getattr(found, "objective", None)
    may_know = request.user.has_perm("approvals.view_approvalrequest")
    context = {
        "now": at,
        "system": found,
        "objective": objective,
        "approval": approvals.standing(objective) if objective and may_know else None,
        "standing": standing,
        "inherited": sorted({names.get(pk, "another system") for pk in standing.promise.sources.values()}),
        "conflicts": conflicts,
        "needs": needs.filter(system=found),
        "needed_by": needs.filter(needs=found),
        "plans": [(plan, is_silent(plan, at)) for plan in plans],
        "proofs": proofs_of(request.user, found, most=MOST),
        "recovery_plans": _recovery_plans(request, found),
        **next_of(request.user, found),
        "tests": RestoreTest.objects.visible_to(request.user).filter(system=found)[:MOST],
        "may_lead": request.user.has_perm("maintenance.add_backupplan"),
        "may_test": request.user.has_perm("maintenance.add_restoretest"),
    }
    return render(request, "maintenance/recovery_system.html", context)


def _recovery_plans(request: SignedIn, system: System) -> Any:
    rows = RecoveryPlan.objects.visible_to(request.user).filter(system=system)
    return rows.exclude(state=PlanState.RETIRED).order_by("title", "pk")[:MOST]


def _system(request: SignedIn, slug: str) -> System:
    rows = System.objects.visible_to(request.user).select_related("owner", "objective", "objective__owner")
    return get_object_or_404(rows, slug=slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required("maintenance.add_restoretest", raise_exception=True)
def record_test(request: SignedIn, slug: str) -> HttpResponse:
    """Show the form of a restore test, or keep the test."""
    found = _system(request, slug)
    at = clock.database_now()
    form = RestoreForm(request.POST or None, at=at, user=request.user)
    if request.method == "POST" and form.is_valid():
        words = {name: value for name, value in form.cleaned_data.items() if name != "once"}
        try:
            with once(found, by=request.user, key=form.cleaned_data["once"]) as is_first:
                if not is_first:
                    return redirect("maintenance:recovery-system", slug=slug)
                test, proof = services.record_restore_test(found, by=request.user, at=at, **words)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{test.reference} is kept: {proof.get_verdict_display().lower()}.")
            return redirect(test)
    page = {"now": at, "system": found, "form": form}
    return render(request, "maintenance/restore.html", page, status=422 if request.method == "POST" else 200)


@require_safe
@never_cache
@login_required
@permission_required("maintenance.view_restoretest", raise_exception=True)
def restore_test(request: SignedIn, reference: str) -> HttpResponse:
    """Show one restore test: what it measured beside what was promised, and what shows it."""
    rows = RestoreTest.objects.visible_to(request.user).select_related("system", "occurrence", "occurrence__plan")
    found = get_object_or_404(rows, reference=reference.upper())
    record_opening(found)
    proof = RecoveryProof.objects.visible_to(request.user).filter(
        system=found.system, kind="restore test", reference=found.reference
    )
    context = {
        "now": clock.now(),
        "test": found,
        "proof": proof.first(),
        "evidence": section_of(found, request.user),
    }
    return render(request, "maintenance/restore_test.html", context)
