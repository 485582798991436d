"""Plans out of a table: what each row would do, and doing it; and the due list as a table."""

from __future__ import annotations

import csv
from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from maintenance import importing
from maintenance.forms.importing import ImportForm
from maintenance.importing import Line
from maintenance.selectors.due import MOST_IN_TABLE, WHOSE_LABELS, Asked, person_of, table_of, usual
from portal.accounts.requests import SignedIn
from portal.directory.models import Contact
from portal.lib import clock, times
from portal.lib.cells import in_csv
from portal.lib.writers import XlsxWriter
from portal.records.making import making

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADS = ("reference", "task", "systems", "scheduled on", "due at", "state", "owner", "backup", "manager", "team")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required(("maintenance.add_plan", "maintenance.change_plan"), raise_exception=True)
def take(request: SignedIn) -> HttpResponse:
    """Show what each row of a file would do, or do all of it."""
    at = clock.database_now()
    form = ImportForm(request.POST or None, request.FILES or None, at=at, user=request.user)
    lines: list[Line] = []
    if request.method == "POST" and form.is_valid():
        words = form.cleaned_data
        # Of two submits at once the second waits and finds the plans of the first: each row says that it stands.
        with making(request.user, once=words["once"], kinds=[]):
            lines = importing.take(form.rows, by=request.user, at=at, reason=words["reason"], dry=words["dry"])
        if not words["dry"] and not any(line.what == "refused" for line in lines):
            written = sum(line.what in {"new", "change"} for line in lines)
            messages.success(request, f"{written} of {len(lines)} rows are written.")
    refused = sum(line.what == "refused" for line in lines)
    status = 422 if request.method == "POST" and (not form.is_valid() or refused) else 200
    context = {"now": at, "form": form, "lines": lines, "refused": refused, "hints": importing.HINTS}
    return render(request, "maintenance/import.html", context, status=status)


@require_safe
@login_required
@permission_required("maintenance.view_occurrence", raise_exception=True)
def table(request: SignedIn, kind: str = "csv") -> HttpResponse:
    """Answer the due list as a CSV file, or as an Excel workbook, as far as it goes in one."""
    person = person_of(request.user)
    asked = Asked.of(request.GET, usual=usual(request.user, person))
    if kind == "xlsx":
        return _workbook(request, asked, person)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="due.csv"'
    answer.write("\ufeff")
    writer = csv.writer(answer, quoting=csv.QUOTE_ALL)
    writer.writerow(HEADS)
    for row in table_of(request.user, asked, person, at=clock.now(), most=MOST_IN_TABLE):
        writer.writerow([in_csv(cell) for cell in row])
    return answer


def _workbook(request: SignedIn, asked: Asked, person: Contact | None) -> HttpResponse:
    at = clock.now()
    rows = table_of(request.user, asked, person, at=at, most=MOST_IN_TABLE)
    about = [("What", "Maintenance that is due"), ("Whose", WHOSE_LABELS[asked.whose]), ("As of", times.exact(at))]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "due.xlsx"
        writer = XlsxWriter(path, HEADS, about=about, name="Due")
        writer.write([["" if cell is None else str(cell) for cell in row] for row in rows])
        writer.close()
        answer = HttpResponse(path.read_bytes(), content_type=XLSX)
    answer["Content-Disposition"] = 'attachment; filename="due.xlsx"'
    return answer
