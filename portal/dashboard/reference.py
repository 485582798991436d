"""The pages of docs/reference/, printed from the code that they describe, so that they cannot disagree with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import TextChoices

from changes import policy as changes
from changes.enums import Status as ChangeStatus
from incidents import policy
from incidents.communications import policy as communications
from incidents.communications.words import FIELDS
from incidents.enums import OPEN, CommunicationState, Status
from portal.accounts.roles import ROLES
from portal.approvals import policy as approvals
from portal.approvals.enums import RequestState, StageState
from portal.assurance import policy as assurance
from portal.assurance import registers
from portal.assurance.enums import EngagementState, ItemState, Register, ReviewKind, ReviewState
from portal.assurance.exporting import policy as exports
from portal.assurance.exporting.enums import ExportState
from portal.dashboard import health
from portal.directory import reference as directory
from portal.directory.enums import LimitUnit
from portal.lib import durations
from portal.records.evidence import policy as custody
from portal.records.evidence.enums import Caution, Kind, State
from portal.runbooks import policy as runbooks
from portal.runbooks.enums import VersionState
from portal.runbooks.markdown import columns, vocabulary

FOLDER = Path("docs") / "reference"
ADDS = ("add", "change")
PRINTED = "This page is printed from the code by `manage.py docs`. Change the code, then print it again."


def pages() -> dict[str, str]:
    """Return every page by file name."""
    written = {
        "incident-states.md": _states(),
        "change-states.md": _change_states(),
        "communication-states.md": _communication_states(),
        "approval-states.md": _approval_states(),
        "review-states.md": _review_states(),
        "export-states.md": _export_states(),
        "custody-states.md": _custody_states(),
        "runbook-states.md": _runbook_states(),
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


def _title(words: str) -> list[str]:
    return [f"# {words}", "", PRINTED, ""]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    columns = list(head)
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _states() -> list[str]:
    arrows = [
        f"    {before.value} --> {after.value}: {verb}"
        for verb, moves in policy.TRANSITIONS.items()
        for before, after in moves.items()
    ]
    rows = [
        (verb, before.label, after.label, _yes(verb in policy.NEEDS_REASON))
        for verb, moves in policy.TRANSITIONS.items()
        for before, after in moves.items()
    ]
    opened = ", ".join(Status(state).label.lower() for state in OPEN)
    return [
        *_title("The life of an incident"),
        f"An incident is open while it is {opened}. A verb that does not fit the state is refused with a sentence.",
        "",
        *("```mermaid", "stateDiagram-v2", f"    [*] --> {Status.DECLARED.value}: declare", *arrows),
        *(f"    {state.value} --> [*]" for state in (Status.CLOSED, Status.CANCELLED, Status.MERGED)),
        *("```", ""),
        *_table(("verb", "from", "to", "asks for a reason"), rows),
    ]


def _change_states() -> list[str]:
    asking = ", ".join(sorted(changes.NEEDS_REASON))
    return [
        *_title("The life of a change"),
        "Nothing but its services moves a change: no form, no import and no record page. What does not fit is refused",
        f"with a sentence. These ask for a reason: {asking}.",
        "An edit leads back to submitted and voids what was decided.",
        "",
        *_diagram(ChangeStatus.DRAFT, "draft", changes.TRANSITIONS),
    ]


def _communication_states() -> list[str]:
    return [
        *_title("The life of a message to an audience"),
        "A message goes out once, and is recorded as it goes out: this meets the clock of its audience. Where a rule",
        "asks for an approval, it goes out only once every stage has approved words and list as they stand; an edit",
        "voids that, and so does a denial or the end of the time to decide. Nothing leaves sent and withdrawn.",
        "",
        *_diagram(CommunicationState.DRAFTED, "draft", communications.TRANSITIONS),
        "## The fields of a template",
        "",
        "Any other field is refused when a template is saved.",
        "",
        *_table(("field", "becomes"), ((f"`{{{name}}}`", words) for name, words in FIELDS.items())),
    ]


def _approval_states() -> list[str]:
    return [
        *_title("The life of an approval"),
        "A request shows one record word for word, and every decision is bound to the digest of those words. While it",
        "is pending or approved, any later edit of the record voids it. Nothing leaves denied, expired, voided,",
        "withdrawn and final. A new implementer voids the decisions so far: reassign leads back to pending.",
        "",
        *_diagram(RequestState.PENDING, "ask", approvals.TRANSITIONS),
        "## Its stages",
        "",
        "Stages open in their order. One denial ends the request; the others are closed with it.",
        "",
        *_diagram(StageState.WAITING, "ask", approvals.STAGE_TRANSITIONS),
    ]


def _runbook_states() -> list[str]:
    return [
        *_title("The life of a version of a runbook"),
        "Only the version that is published is followed. It is superseded when the next one is published, or when its",
        "runbook is retired. Once published its words never change; the database refuses it too. Of one runbook at",
        "most one version is in force, and at most one is being written or reviewed.",
        "",
        *_diagram(VersionState.DRAFT, "begin", runbooks.TRANSITIONS),
    ]


def _runbook_import() -> list[str]:
    """Return the spellings that the reader of runbooks knows, as the patterns that they are."""
    places = {place: words for place, _, words in vocabulary.TEMPLATE}
    return [
        *_title("What is understood of a runbook"),
        "Titles, labels and columns are compared in lower case, without numbers before them, signs, or what stands in",
        "brackets. The first pattern that fits the whole of it counts. What fits none stays as text, and is reported.",
        "",
        "## Titles of sections",
        "",
        *_table(("place in the template", "spellings"), ((places[p], _pattern(x)) for p, x in vocabulary.TITLES)),
        "## Labels and small headings",
        "",
        *_table(("meaning", "spellings"), ((role.value, _pattern(x)) for role, x in vocabulary.LABELS)),
        "## Columns of tables",
        "",
        *_table(
            ("table", "column", "spellings"),
            ((grid.value, name, _pattern(x)) for grid, named, _ in columns.COLUMNS for name, x in named.items()),
        ),
    ]


def _pattern(pattern: str) -> str:
    return "`" + pattern.replace("|", "\\|") + "`"


def _review_states() -> list[str]:
    return [
        *_title("The life of a review"),
        "A review is signed once each of its items is decided. Then nothing in it changes any more. Its reviewers",
        "decide for as long as they hold a role that reviews. Nobody, superusers included, decides on their own acts",
        "or access. Of two who decide on one item at once, the second is told what the first decided.",
        "",
        *_diagram(ReviewState.OPEN, "open", assurance.REVIEW),
        "## An item of privileged changes",
        "",
        "Attested, settled and followed up are decided. Whoever made a change answers, and never decides on it.",
        "",
        *_diagram(ItemState.OPEN, "open", assurance.ITEMS[ReviewKind.CHANGES]),
        "## An item of access",
        "",
        "Attested, revoked and no longer held are decided. Nobody decides on their own access.",
        "",
        *_diagram(ItemState.OPEN, "open", assurance.ITEMS[ReviewKind.ACCESS]),
    ]


def _custody_states() -> list[str]:
    closed = ", ".join(sorted(custody.ONLY_UNSEALED))
    asking = ", ".join(sorted(custody.NEEDS_REASON))
    return [
        *_title("The custody of evidence"),
        "Whoever holds an item acts on it, or a security lead in their place; only the receiver confirms a receipt.",
        f"Once it is sealed these no longer fit: {closed}. These ask for a reason: {asking}.",
        "Every act is a custody event, which is never edited or deleted. The file and its custody stay when it is",
        "released.",
        "",
        *_diagram(State.HELD, "collect", custody.TRANSITIONS),
        "## What a custody event tells",
        "",
        *_table(("event", "word"), ((f"`{kind.value}`", kind.label) for kind in Kind)),
        "## What a reader is warned of",
        "",
        *_table(("caution", "sentence"), ((f"`{caution.value}`", caution.label) for caution in Caution)),
    ]


def _export_states() -> list[str]:
    lease, longest = (durations.words(span.total_seconds()) for span in (exports.LEASE, exports.LONGEST_WORK))
    return [
        *_title("The life of an export"),
        f"A worker holds an export under a lease of {lease} that it renews while it works; when the lease has run out,",
        f"another worker takes the export and begins anew, at most {exports.TRIES} times in all. One that takes longer",
        f"than {longest} fails. A file is handed out to whoever asked, once it is ready and until it expires, and no",
        "longer when they have lost a role, an engagement or a record that they had when it was made.",
        "",
        *_diagram(ExportState.WAITING, "ask", exports.TRANSITIONS),
    ]


def _engagements() -> list[str]:
    opened = ((kind.label, ", ".join(f"`{pattern}`" for pattern in registers.OPENS[kind])) for kind in Register)
    reaches = ((f"`{label}`", *_reach(found)) for label, found in sorted(registers.REACH.items()))
    return [
        *_title("What an engagement opens"),
        "An auditor reads what the kinds of records of a running engagement open, and nothing else. A planned one",
        "starts, and a running one ends, by its own dates; both can be ended early.",
        "",
        "Only an open account with the role Auditor is engaged. The database refuses anybody else, an edit of what was",
        "granted, and to open again what was ended. Whoever loses the role reads nothing by an engagement any more.",
        "",
        *_diagram(EngagementState.PLANNED, "grant", assurance.ENGAGEMENT),
        "## Kinds of records",
        "",
        *_table(("kind", "records"), opened),
        "## Systems and periods",
        "",
        "How rows are narrowed where an engagement names systems or a period. What has no line here is read only in an",
        "engagement without limits. Rows of the trail belong to the moment at which they were written.",
        "",
        *_table(("records", "of a system by", "of a period by"), reaches),
    ]


def _reach(found: registers.Reach) -> tuple[str, str]:
    if found.own:
        return "one's own alone", "one's own alone"
    about = "what it is about" if found.about else ""
    systems = f"`{found.systems}`{', or none' if found.shared else ''}" if found.systems else about
    moment = f"`{found.moment}`{f' to `{found.until}`' if found.until else ''}" if found.moment else about
    return systems or "every one", moment or "always"


def _diagram(first: TextChoices, verb: str, transitions: Mapping[str, Mapping[Any, Any]]) -> list[str]:
    """Return a state machine as a drawing and as a table."""
    moves = [(verb, before, after) for verb, found in transitions.items() for before, after in found.items()]
    ends = {after for _, _, after in moves} - {before for _, before, _ in moves}
    return [
        *("```mermaid", "stateDiagram-v2", f"    [*] --> {first.value}: {verb}"),
        *(f"    {before.value} --> {after.value}: {verb}" for verb, before, after in moves),
        *(f"    {state.value} --> [*]" for state in type(first) if state in ends),
        *("```", ""),
        *_table(("verb", "from", "to"), ((verb, before.label, after.label) for verb, before, after in moves)),
    ]


def _roles() -> list[str]:
    lines = [
        *_title("Roles and permissions"),
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
        *_title("Environment variables"),
        "Set them in the environment, or in `.env` beside `manage.py`. What cannot be used stops the start.",
        "",
    ]
    for part, variables in _variables(text):
        lines += [f"## {part}", "", *_table(("variable", "what it is", "example"), variables)]
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
        *_title("Severity levels as they are loaded"),
        "An administrator can change every row, with history. What was changed is never overwritten.",
        "",
        *_table(
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
    return [*lines, *_table(("level", "clock", "limit", "after the first"), rows)]


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
        *_title("What /healthz/ tells"),
        "`GET /healthz/` needs no sign-in and names no record. It answers 200 with `status` `ok` while every figure is",
        "within its limit, else 503 with `status` `failing` and a sentence for each in `problems`. A figure that",
        "cannot be read is `null`, and a database that does not answer is itself a problem.",
        "",
        *_table(("figure", "most", "what it measures"), rows),
        "The watchdog looks every 15 seconds. It tells the administrators, in the portal and on every verified way to",
        "reach them, about overdue deadlines, messages that do not leave, requests between parts that nobody answered,",
        "exports that nobody makes, rows that are not sealed, anchors that do not leave, a reconciliation or a",
        "verification that is late, a verification that found something, evidence that is altered, missing or not read",
        "again in time, and lists of these runs that say what the trail does not or tell of a time that has not come;",
        "while the trouble lasts, once an hour. Only what keeps",
        "people from being paged makes `/healthz/` fail. `HEARTBEAT_URL` is fetched with each look while no deadline",
        "is overdue and the sweep is not silent, so that an outside service can raise the alarm when the pings stop.",
    ]


def _yes(fact: object) -> str:
    return "yes" if fact else ""
