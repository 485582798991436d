"""Plans out of a table: what each row would do, and doing it; and plans and the due list as tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from maintenance import importing
from maintenance.forms.importing import ImportForm
from maintenance.importing import Line
from maintenance.models import Plan
from maintenance.policy import Refused
from maintenance.selectors.due import MOST_IN_TABLE, WHOSE_LABELS, Asked, person_of, table_of, usual
from portal.accounts.requests import SignedIn
from portal.lib import clock, times
from portal.lib.cells import in_csv
from portal.lib.writers import XlsxWriter
from portal.records.making import making

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LINES_AT_ONCE = 500
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
        lines = _taken(request, form, at=at)
        if form.is_valid() and not form.cleaned_data["dry"] and not any(line.what == "refused" for line in lines):
            written = sum(line.what in {"new", "change"} for line in lines)
            messages.success(request, f"{written} of {len(lines)} rows are written.")
    refused = sum(line.what == "refused" for line in lines)
    status = 422 if request.method == "POST" and (not form.is_valid() or refused) else 200
    context = {"now": at, "form": form, "lines": lines, "refused": refused, "hints": importing.HINTS}
    return render(request, "maintenance/import.html", context, status=status)


def _taken(request: SignedIn, form: ImportForm, *, at: datetime) -> list[Line]:
    """Do what the rows of the file say. A file that is too much for a page is said beside the field."""
    words = form.cleaned_data
    try:
        # Of two submits at once the second waits and finds the plans of the first: each row says that it stands.
        with making(request.user, once=words["once"], kinds=[]):
            return importing.take(
                form.rows, by=request.user, at=at, reason=words["reason"], dry=words["dry"],
                most=importing.MOST_ON_PAGE,
            )  # fmt: skip
    except Refused as refused:
        form.add_error("file", str(refused))
        return []


@require_safe
@login_required
@permission_required("maintenance.view_plan", raise_exception=True)
def plans(request: SignedIn, kind: str = "csv") -> HttpResponseBase:
    """Answer the plans that are not retired in the columns of an import: what is edited there can be given back."""
    rows = (list(row.values()) for row in importing.rows_of(Plan.objects.visible_to(request.user)))
    if kind == "xlsx":
        return _workbook("plans", importing.COLUMNS, rows, about=[])
    return _csv("plans", importing.COLUMNS, rows)


@require_safe
@login_required
@permission_required("maintenance.view_occurrence", raise_exception=True)
def table(request: SignedIn, kind: str = "csv") -> HttpResponseBase:
    """Answer the due list as a CSV file, or as an Excel workbook, as far as it goes in one."""
    person = person_of(request.user)
    asked = Asked.of(request.GET, usual=usual(request.user, person))
    at = clock.now()
    rows = table_of(request.user, asked, person, at=at, most=MOST_IN_TABLE)
    if kind == "xlsx":
        about = [("What", "Maintenance that is due"), ("Whose", WHOSE_LABELS[asked.whose]), ("As of", times.exact(at))]
        return _workbook("due", HEADS, rows, about=about)
    return _csv("due", HEADS, rows)


def _csv(name: str, heads: Sequence[str], rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    """Answer a CSV file that is written while it is sent: it waits in nobody's memory, however long it is."""
    answer = StreamingHttpResponse(_lines(heads, rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _lines(heads: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield the text of a CSV file, some hundred lines at a time."""
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(heads)
    for number, row in enumerate(rows, start=1):
        writer.writerow([in_csv(cell) for cell in row])
        if number % LINES_AT_ONCE == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _workbook(
    name: str, heads: Sequence[str], rows: Iterable[Iterable[object]], *, about: Sequence[tuple[str, str]]
) -> HttpResponse:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.xlsx"
        writer = XlsxWriter(path, heads, about=about, name=name.title())
        writer.write(["" if cell is None else str(cell) for cell in row] for row in rows)
        writer.close()
        answer = HttpResponse(path.read_bytes(), content_type=XLSX)
    answer["Content-Disposition"] = f'attachment; filename="{name}.xlsx"'
    return answer
