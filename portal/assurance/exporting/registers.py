"""A register as of a moment as an export: every record of a kind as it stood then, with all of its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import QueryDict
from django.utils import timezone
from django.utils.http import urlencode

from portal.accounts.models import User
from portal.assurance.exporting.policy import Refused
from portal.assurance.exporting.sources import TableSource, Work, by_key
from portal.assurance.selectors.asof import model_for, moment_of
from portal.assurance.selectors.asof_values import Held, Values
from portal.assurance.selectors.trail_naming import kinds_of, model_of
from portal.audit.enums import Action
from portal.audit.history import AuditHistory
from portal.audit.tables import TrailRow
from portal.lib.cells import in_utc, in_words, twice


@dataclass(frozen=True, slots=True)
class Standing:
    """A record as it stood: the newest row of the trail about it, and what its fields held."""

    row: TrailRow
    fields: list[Held]


class Register(TableSource[Standing]):
    """All records of one kind as of a moment."""

    slug: ClassVar[str] = "register"
    name: ClassVar[str] = "Register as of a moment"
    explanation: ClassVar[str] = "Every record of one kind as it stood at a moment, with all of its fields."
    icon: ClassVar[str] = "calendar-clock"
    permission: ClassVar[str] = "audit.view_trailrow"
    chosen_on: ClassVar[str] = "assurance:as-of"

    def check(self, user: User, parameters: Mapping[str, Any]) -> None:
        """Refuse also a kind of records that the reader does not see, and what is no moment."""
        super().check(user, parameters)
        if model_for(user, _label(parameters)) is None:
            raise Refused("Choose a kind of records, and a moment, on the page As of a moment.")
        _moment(parameters)

    def settled(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> dict[str, Any]:
        """Return kind and moment, the moment in UTC: an hour without a zone is one of the reader's."""
        with timezone.override(zone):
            at = _moment(parameters)
        return {"query": urlencode({"model": _label(parameters), "at": in_utc(at)})}

    def title(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> str:
        """Return kind and moment."""
        label = _label(parameters)
        return f"{kinds_of(label).capitalize()} as of {in_words(_moment(parameters))}" if label else self.name

    def narrowing(self, parameters: Mapping[str, Any], *, zone: ZoneInfo) -> str:
        """Return the same: the kind and the moment are all there is."""
        return self.title(parameters, zone=zone) if _label(parameters) else ""

    def columns(self, work: Work) -> list[str]:
        """Return the heads: who last changed it, then each field."""
        model = model_of(_label(work.parameters))
        history = AuditHistory.of[model]
        fields = [*history.fields_included(model), *history.get_m2m_fields_from_model(model)]
        changed = ["last changed (UTC)", f"last changed ({work.zone.key})", "last changed by"]
        return ["object", "reference", "name", *changed, *(str(field.verbose_name) for field in fields)]

    def count(self, work: Work) -> int:
        """Return how many had been made by then, some of which may be gone."""
        return self._made(work).count()

    def batches(self, work: Work) -> Iterator[list[Standing]]:
        """Yield those that stood, in the order in which they were made."""
        for made in by_key(self._made(work)):
            yield self._standing(made, work)

    def lines(self, record: Standing, work: Work) -> list[list[Any]]:
        """Return the one line of a record."""
        row = record.row
        values = [", ".join(value.text for value in held.values) for held in record.fields]
        return [[row.object_id, row.reference, row.name, *twice(row.at, work.zone), row.actor_name, *values]]

    def as_json(self, record: Standing, work: Work) -> dict[str, Any]:
        """Return a record with each field as a list of what it held."""
        row = record.row
        return {
            "model": row.model,
            "object": row.object_id,
            "reference": row.reference,
            "name": row.name,
            "last_changed": {"at": in_utc(row.at), "by": row.actor_name, "row": row.pk},
            "fields": {held.name: [value.text for value in held.values] for held in record.fields},
        }

    def _made(self, work: Work) -> QuerySet[TrailRow]:
        created = _versions(work).filter(action=Action.CREATED, at__lte=_moment(work.parameters))
        return created.order_by()

    def _standing(self, made: list[TrailRow], work: Work) -> list[Standing]:
        seen, at = TrailRow.objects.visible_to(work.user), _moment(work.parameters)
        newest = _versions(work).filter(object_id=OuterRef("object_id"), at__lte=at).order_by("-pk").values("pk")[:1]
        ids = seen.filter(pk__in=[row.pk for row in made]).order_by().values_list(Subquery(newest), flat=True)
        rows = [row for row in seen.filter(pk__in=list(ids)).order_by("pk") if row.action != Action.DELETED]
        model = model_of(_label(work.parameters))
        versions = {kept.history_id: kept for kept in model.history.filter(pk__in=[row.history_id for row in rows])}
        rows = [row for row in rows if row.history_id in versions]
        with timezone.override(work.zone):
            held = Values(model, seen=seen, at=at).of([versions[row.history_id] for row in rows])
        return [Standing(row, fields) for row, fields in zip(rows, held, strict=True)]


def _versions(work: Work) -> QuerySet[TrailRow]:
    """Return the rows about records of the kind that tell of a version, as far as the reader may see them."""
    found: QuerySet[TrailRow] = TrailRow.objects.visible_to(work.user)
    return found.filter(model=_label(work.parameters), history_id__isnull=False)


def _asked(parameters: Mapping[str, Any]) -> QueryDict:
    return QueryDict(str(parameters.get("query", "")), encoding="utf-8")


def _label(parameters: Mapping[str, Any]) -> str:
    return str(_asked(parameters).get("model", ""))


def _moment(parameters: Mapping[str, Any]) -> datetime:
    """Return the moment, which names its offset. Refused is raised for what is none."""
    try:
        return moment_of(str(_asked(parameters).get("at", "")))
    except ValidationError as problem:
        raise Refused(" ".join(problem.messages)) from problem
