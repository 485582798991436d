"""The pages of docs/reference/, printed from the code that they describe, so that they cannot disagree with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from django.conf import settings

from portal.accounts.roles import ROLES
from portal.assurance import policy as assurance
from portal.assurance import registers
from portal.assurance.enums import EngagementState, Register
from portal.dashboard import health, printing, states
from portal.directory import reference as directory
from portal.directory.enums import LimitUnit
from portal.lib import durations
from portal.runbooks.markdown import columns, vocabulary

FOLDER = Path("docs") / "reference"
ADDS = ("add", "change")


def pages() -> dict[str, str]:
    """Return every page by file name."""
    written = {
        **states.pages(),
        "runbook-import.md": _runbook_import(),
        "engagements.md": _engagements(),
        "roles.md": _roles(),
        "environment.md": _environment((settings.BASE_DIR / ".env.example").read_text(encoding="utf-8")),
        "severities.md": _severities(),
        "health.md": _health(),
    }
    return {name: "\n".join(lines).rstrip() + "\n" for name, lines in written.items()}


def stale(folder: Path) -> list[str]:
    """Return the names of pages in `folder` that are missing or say something else than the code."""
    return [name for name, text in pages().items() if _read(folder / name) != text]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _runbook_import() -> list[str]:
    """Return the spellings that the reader of runbooks knows, as the patterns that they are."""
    places = {place: words for place, _, words in vocabulary.TEMPLATE}
    return [
        *printing.title("What is understood of a runbook"),
        "Titles, labels and columns are compared in lower case, without numbers before them, signs, or what stands in",
        "brackets. The first pattern that fits the whole of it counts. What fits none stays as text, and is reported.",
        "",
        "A table of raw HTML stays text, word by word, and is reported too: what is understood is told line by line,",
        "and a row of such a table has no line of its own. Write it between pipes, and it is read.",
        "",
        "## Titles of sections",
        "",
        *printing.table(
            ("place in the template", "spellings"), ((places[p], _pattern(x)) for p, x in vocabulary.TITLES)
        ),
        "## Labels and small headings",
        "",
        *printing.table(("meaning", "spellings"), ((role.value, _pattern(x)) for role, x in vocabulary.LABELS)),
        "## Columns of tables",
        "",
        *printing.table(
            ("table", "column", "spellings"),
            ((grid.value, name, _pattern(x)) for grid, named, _ in columns.COLUMNS for name, x in named.items()),
        ),
    ]


def _pattern(pattern: str) -> str:
    return "`" + pattern.replace("|", "\\|") + "`"


def _engagements() -> list[str]:
    opened = ((kind.label, ", ".join(f"`{pattern}`" for pattern in registers.OPENS[kind])) for kind in Register)
    reaches = ((f"`{label}`", *_reach(found)) for label, found in sorted(registers.REACH.items()))
    return [
        *printing.title("What an engagement opens"),
        "An auditor reads what the kinds of records of a running engagement open, and nothing else. A planned one",
        "starts, and a running one ends, by its own dates; both can be ended early.",
        "",
        "Only an open account with the role Auditor is engaged. The database refuses anybody else, an edit of what was",
        "granted, and to open again what was ended. Whoever loses the role reads nothing by an engagement any more.",
        "",
        *states.diagram(EngagementState.PLANNED, "grant", assurance.ENGAGEMENT),
        "## Kinds of records",
        "",
        *printing.table(("kind", "records"), opened),
        "## Systems and periods",
        "",
        "How rows are narrowed where an engagement names systems or a period. What has no line here is read only in an",
        "engagement without limits. Rows of the trail belong to the moment at which they were written.",
        "",
        *printing.table(("records", "of a system by", "of a period by"), reaches),
    ]


def _reach(found: registers.Reach) -> tuple[str, str]:
    if found.own:
        return "one's own alone", "one's own alone"
    about = "what it is about" if found.about else ""
    systems = f"`{found.systems}`{', or none' if found.shared else ''}" if found.systems else about
    moment = f"`{found.moment}`{f' to `{found.until}`' if found.until else ''}" if found.moment else about
    return systems or "every one", moment or "always"


def _roles() -> list[str]:
    lines = [
        *printing.title("Roles and permissions"),
        "Roles are data in code, written into the database after every migration. Somebody can have several.",
        "",
    ]
    for role in ROLES:
        lines += [f"## {role.name}", "", role.description, ""]
        lines += [*_allowed("Sees", role.permissions, ("view",)), *_allowed("Adds and changes", role.permissions, ADDS)]
        lines += [f"- Signs in with: {'password and second factor' if role.second_factor else 'password'}", ""]
    return lines


def _allowed(words: str, permissions: Iterable[str], acts: tuple[str, ...]) -> list[str]:
    """Return one line that names what the permissions allow: `incidents.*` for every model of an app."""
    found = set()
    for permission in permissions:
        app, _, codename = permission.partition(".")
        verb, _, model = codename.partition("_")
        if verb in acts:
            found.add(f"`{app}.{model}`")
    return [f"- {words}: {', '.join(sorted(found))}"] if found else []


def _environment(text: str) -> list[str]:
    lines = [
        *printing.title("Environment variables"),
        "Set them in the environment, or in `.env` beside `manage.py`. What cannot be used stops the start.",
        "",
    ]
    for part, variables in _variables(text):
        lines += [f"## {part}", "", *printing.table(("variable", "what it is", "example"), variables)]
    return lines


def _variables(text: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Read the parts of .env.example: a comment, then a line NAME=example that may be commented out."""
    heads = [(match.start(), match.end(), match[1]) for match in re.finditer(r"(?m)^# --- (.+?) -+$", text)]
    for (_, start, name), (end, _, _) in pairwise([*heads, (len(text), len(text), "")]):
        yield name, list(_paragraphs(text[start:end]))


def _paragraphs(text: str) -> Iterator[tuple[str, str, str]]:
    for paragraph in re.split(r"\n\s*\n", text):
        words = [line[1:].strip() for line in paragraph.splitlines() if line.startswith("# ")]
        for name, example in re.findall(r"(?m)^#?([A-Z][A-Z_]+)=(.*)$", paragraph):
            shown = f"`{example}`" if example else ""
            yield f"`{name}`", " ".join(words).replace("|", "\\|"), shown


def _severities() -> list[str]:
    lines = [
        *printing.title("Severity levels as they are loaded"),
        "An administrator can change every row, with history. What was changed is never overwritten.",
        "",
        *printing.table(
            ("level", "name", "what it means", "response time", "major incident"),
            (
                (
                    row["code"],
                    row["name"],
                    f"{row['description']} {row['example']}",
                    row["target"],
                    "yes" if row.get("is_major") else "",
                )
                for row, _ in directory.SEVERITIES
            ),
        ),
        "## Clocks",
        "",
        "Each is kept or missed for good. From 75 % of its time it is at risk.",
        "",
    ]
    rows = [
        (
            row["code"],
            limit.clock.label,
            _limit(limit),
            f"every {durations.words(limit.repeat * 60)}" if limit.repeat else "",
        )
        for row, limits in directory.SEVERITIES
        for limit in limits
    ]
    return [*lines, *printing.table(("level", "clock", "limit", "after the first"), rows)]


def _limit(limit: directory.Limit) -> str:
    if limit.unit == LimitUnit.OBJECTIVE:
        return LimitUnit.OBJECTIVE.label
    if limit.unit == LimitUnit.BUSINESS_DAYS:
        days = "next business day" if limit.limit == 1 else f"{limit.limit} business days"
        return f"end of the {days}"
    return durations.words(limit.limit * 60)


def _health() -> list[str]:
    rows = [
        (
            "`oldest_overdue_seconds`",
            durations.words(health.MOST_OVERDUE),
            "how long the oldest deadline is overdue",
        ),
        ("`oldest_unsent_seconds`", durations.words(health.MOST_UNSENT), "how long the oldest unsent message waits"),
        ("`last_sweep_age_seconds`", durations.words(health.MOST_SILENT), "when deadlines were last looked at"),
        ("`clock_offset_seconds`", durations.words(health.MOST_OFFSET), "this machine's clock minus the database's"),
        ("`oldest_unsealed_seconds`", "told only", "how long the oldest row of the record waits for its seal"),
        ("`last_anchor_age_seconds`", "told only", "when a signed head of the record last left this machine"),
        ("`last_verification_age_seconds`", "told only", "when the whole record was last verified"),
        ("`last_verification_findings`", "told only", "how many things that verification found wrong"),
        ("`damaged_evidence`", "told only", "how many files of evidence were altered or missing when last read"),
    ]
    return [
        *printing.title("What /healthz/ tells"),
        "`GET /healthz/` needs no sign-in and names no record. It answers 200 with `status` `ok` while every figure is",
        "within its limit, else 503 with `status` `failing` and a sentence for each in `problems`. A figure that",
        "cannot be read is `null`, and a database that does not answer is itself a problem.",
        "",
        *printing.table(("figure", "most", "what it measures"), rows),
        "The watchdog looks every 15 seconds. It tells the administrators, in the portal and on every verified way to",
        "reach them, about overdue deadlines, messages that do not leave, requests between parts that nobody answered,",
        "exports that nobody makes, rows that are not sealed, anchors that do not leave, a reconciliation or a",
        "verification that is late, a verification that found something, evidence that is altered, missing or not read",
        "again in time, and lists of these runs that say what the trail does not or tell of a time that has not come;",
        "while the trouble lasts, once an hour. Only what keeps",
        "people from being paged makes `/healthz/` fail. `HEARTBEAT_URL` is fetched with each look while no deadline",
        "is overdue and the sweep is not silent, so that an outside service can raise the alarm when the pings stop.",
    ]
