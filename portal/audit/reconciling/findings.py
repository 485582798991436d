"""What reconciliation finds: one object, or one field of it, that its history does not account for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Self

from django.apps import apps
from django.db.models import TextChoices


class Kind(TextChoices):
    """How a row and its history can disagree. The labels are sentences about `it`."""

    DIFFERS = "differs", "holds another value than its newest history row"
    UNRECORDED = "unrecorded", "stands without any history"
    RETURNED = "returned", "stands although its history says that it was deleted"
    VANISHED = "vanished", "is gone although its history does not say that it was deleted"
    RELATED = "related", "is related otherwise than its newest history row says"
    UNTOLD = "untold", "has a history row that the audit trail does not tell"
    MISTOLD = "mistold", "has a history row that the audit trail tells otherwise"
    GROUNDLESS = "groundless", "is told in the audit trail by a row whose history row is missing"
    BASELESS = "baseless", "is told in the audit trail by a row that nothing kept bears out"
    UNHEARD = "unheard", "was written without its row of the audit trail"
    MISHEARD = "misheard", "is told in the audit trail as done by somebody else or at another moment"
    STRAYS = "strays", "does not hold what the record held on which it was made"


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement. `live` is what the database holds, `kept` what history says; nothing is None.

    `model` is a label such as "directory.team", `name` what the trail last called the object, `row` the history row,
    of a fact its own row, and of a groundless or baseless telling the row of the trail.
    """

    kind: Kind
    model: str
    object_id: str
    name: str = ""
    field: str = ""
    live: str | None = None
    kept: str | None = None
    row: int | None = None

    @property
    def identity(self) -> str:
        """What makes it the same finding another day: everything but the values."""
        rows = self.row if self.kind in {Kind.UNTOLD, Kind.MISTOLD, Kind.GROUNDLESS, Kind.BASELESS} else ""
        return "|".join([self.kind.value, self.model, self.object_id, self.field, str(rows)])

    @property
    def place(self) -> str:
        """Which row it is about, as anybody may have it called: a record that some may not see, by its number alone."""
        name = "" if _is_restricted(self.model) or not self.name else f" {self.name}"
        return f"{_called(self.model)}{name} (number {self.object_id})"

    @property
    def outline(self) -> str:
        """The finding in words, without values: for whoever may not be one to see them."""
        return f"{self.place}{f', {self.field}' if self.field else ''}: it {self.kind.label}."

    @property
    def sentence(self) -> str:
        """The finding in words."""
        what = f"{_called(self.model)} {self.name or 'without a name'} (number {self.object_id})"
        return f"{what} {self.kind.label}{self._values()}."

    def _values(self) -> str:
        if self.kind not in {Kind.DIFFERS, Kind.RELATED}:
            return f" (row {self.row})" if self.row is not None else ""
        return f": {self.field} is {self.live or 'nothing'}, history says {self.kept or 'nothing'}"

    def as_json(self) -> dict[str, Any]:
        """Return the finding with its sentence, for JSON."""
        return {**asdict(self), "kind": self.kind.value, "sentence": self.sentence}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Return the finding that `as_json` told."""
        values = {name: value for name, value in found.items() if name != "sentence"}
        return cls(**{**values, "kind": Kind(found["kind"])})


def digest_of(identities: Iterable[str]) -> str:
    """Return a short name of a set of findings: the same for the same ones in any order."""
    text = json.dumps(sorted(set(identities)), separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:16]


def _model(label: str) -> Any:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        return None


def _is_restricted(label: str) -> bool:
    return hasattr(_model(label), "hidden_from")


def _called(label: str) -> str:
    model = _model(label)
    words = str(model._meta.verbose_name) if model is not None else label
    return words[:1].upper() + words[1:]
