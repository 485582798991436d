"""The record of an exercise as words that a digest is taken of: the same rows give the same digest anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from maintenance.models import Exercise, ExerciseStep

_OF_EXERCISE = (
    *("reference", "plan_version", "kind", "drill", "started_at", "started_by", "ended_at", "ended_by"),
    *(
        "newest_data_at",
        "summary",
        "took_seconds",
        "lost_seconds",
        "succeeded",
        "rto_minutes",
        "rpo_minutes",
        "verdict",
    ),
)
_OF_STEP = (
    *("position", "text", "minutes", "recovers", "state", "started_at", "started_by", "done_at", "done_by"),
    *("skipped_at", "skipped_by", "skipped_because", "note"),
)


def digest_of(exercise: Exercise, steps: Iterable[ExerciseStep]) -> str:
    """Return the SHA-256 of what an exercise did and measured. What follows later, such as findings, is not in it."""
    words = {
        "exercise": {name: _plain(getattr(exercise, name)) for name in _OF_EXERCISE},
        "plan": exercise.plan.reference,
        "system": exercise.plan.system.slug,
        "steps": [{name: _plain(getattr(step, name)) for name in _OF_STEP} for step in steps],
    }
    text = json.dumps(words, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
