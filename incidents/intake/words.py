"""What the timeline says of an alert. Each text follows the name of the source, so it begins with a verb."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from incidents.intake import reading
from incidents.intake.mapping import SYSTEM_LABELS, Meaning
from incidents.intake.report import Report
from incidents.models import IntakeToken
from portal.directory.models import System

SHOWN_LABELS = 12
CLOCK_SKEW = timedelta(minutes=1)  # how far ahead the clock of a source may be


def opened(report: Report, meaning: Meaning) -> str:
    """Say what came, and what it was taken to mean."""
    named = ", ".join(system.name for system in meaning.systems)
    return f"reported {_alerts(report)}, {f'on {named}' if named else 'on no system that is known here'}"


def joined(report: Report) -> str:
    """Say how the alerts under this key stand now."""
    return f"reported {_alerts(report)} under the same key"


def not_mapped(meaning: Meaning, token: IntakeToken) -> str:
    """Say which severity was taken in place of words that meant none; nothing when a word was understood."""
    if not meaning.unknown:
        return ""
    return (
        f"The severity {_quoted(meaning.unknown)} is not mapped, so {meaning.severity.code} was taken, the level "
        f"of the address {token.name}. Add an intake mapping for it."
    )


def changes_nothing(meaning: Meaning) -> str:
    """Say that words for a severity that mean none have left it as it is."""
    return (
        f"The severity {_quoted(meaning.unknown)} is not mapped, so it changed nothing. Add an intake mapping for it."
    )


def not_believed(report: Report, at: datetime) -> str:
    """Say that a beginning after `at`, when the alert came in, was not believed; nothing when it was."""
    if report.started_at is None or report.started_at - at <= CLOCK_SKEW:
        return ""
    return (
        f"It is said to have begun at {report.started_at:%Y-%m-%d %H:%M} UTC, which lies in the future, so the time "
        "when it came in was taken. Set the clock of the source."
    )


def advice(report: Report, meaning: Meaning, token: IntakeToken, *, at: datetime) -> str:
    """Say which labels came and what to do where they did not name a system or a severity, and what was not read."""
    parts = []
    if not meaning.systems:
        parts.append(
            f"No label names a system. These came: {_labels(report)}. Page the people you need by hand, and add an "
            f"intake mapping, or a label {', '.join(SYSTEM_LABELS)} that names a system, for the next alert."
        )
    parts += filter(None, [not_mapped(meaning, token), not_believed(report, at), *report.hints])
    if report.ignored:
        parts.append(f"Fields that the form does not know were not read: {', '.join(report.ignored)}.")
    return "\n".join(parts)


def other_systems(meaning: Meaning, systems: Iterable[System]) -> str:
    """Name the systems that an alert brings to an incident that does not list them."""
    known = {system.pk for system in systems}
    others = [system.name for system in meaning.systems if system.pk not in known]
    return f"It also names {', '.join(others)}, which this incident does not list." if others else ""


def _alerts(report: Report) -> str:
    firing = f"{report.firing_count} alert{'' if report.firing_count == 1 else 's'} firing"
    resolved = f", {report.resolved_count} resolved" if report.resolved_count else ""
    truncated = f", {report.truncated} more left out by the source" if report.truncated else ""
    return f"{firing}{resolved}{truncated}"


def _labels(report: Report) -> str:
    """Return the labels that came: the common ones first, then those of single alerts."""
    found = {f"{name}={value}" for labels in report.label_sets[:20] for name, value in labels.items()}
    common = [f"{name}={value}" for name, value in report.labels.items() if name != "system"]
    every = list(dict.fromkeys([*common, *sorted(found)]))
    more = f" and {len(every) - SHOWN_LABELS} more" if len(every) > SHOWN_LABELS else ""
    return reading.line(", ".join(every[:SHOWN_LABELS]), 1000) + more if every else "none"


def _quoted(found: Iterable[str]) -> str:
    return ", ".join(f"“{reading.line(word, 60)}”" for word in found)
