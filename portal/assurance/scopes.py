"""Within what an auditor reads: the terms of their running engagements, laid upon every list, search and export."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, reduce
from operator import and_, or_
from typing import Any, TypeVar

from django.apps import apps
from django.contrib.auth.backends import ModelBackend
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import CharField, Q
from django.db.models.functions import Cast

from portal.assurance.enums import Register
from portal.assurance.models import Engagement, GrantedRecord
from portal.assurance.registers import ANYTIME, REACH, Reach, models_of, permission_of, reach_of
from portal.audit.models import TrailRow

Rows = TypeVar("Rows", bound=models.QuerySet[Any])
NOTHING = Q(pk__in=())


@dataclass(frozen=True)
class Terms:
    """What one engagement opens. No systems means all of them, no moment no limit."""

    engagement: int
    auditor: int
    registers: frozenset[str]
    systems: frozenset[int] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    @cached_property
    def opened(self) -> frozenset[str]:
        """Return the models that it opens, by label."""
        return frozenset().union(*(models_of(register) for register in self.registers))

    @property
    def timeless(self) -> bool:
        """Tell whether it opens all time."""
        return self.since is None and self.until is None

    @property
    def unlimited(self) -> bool:
        """Tell whether it opens all systems, at all time, and every kind of record."""
        return not self.systems and self.timeless and set(Register.values) <= self.registers

    def holds_all(self, model: type[models.Model]) -> bool:
        """Tell whether every row of a model lies within it."""
        reach = reach_of(model._meta.label)
        if reach is not None and reach.own:
            return False
        if issubclass(model, TrailRow) or (reach is not None and reach.about):
            return self.unlimited
        if reach is None:
            return not self.systems and self.timeless
        return not (reach.systems and self.systems) and (not reach.moment or self.timeless)

    def condition(self, model: type[models.Model]) -> Q:
        """Return the condition of the rows of a model that lie within it."""
        if self.holds_all(model):
            return ~NOTHING
        if issubclass(model, TrailRow):
            return self._of_trail()
        reach = reach_of(model._meta.label)
        if reach is None:
            return NOTHING
        if reach.own:
            return Q(**{reach.own: self.auditor})
        return self._of_systems(model, reach) & self._of_time(reach) & self._of_subjects(reach)

    def _of_systems(self, model: type[models.Model], reach: Reach) -> Q:
        """Return the condition that a row concerns one of the systems. A subquery: a row may have several."""
        if not reach.systems or not self.systems:
            return Q()
        wanted = Q(**{f"{reach.systems}__in": sorted(self.systems)})
        if reach.shared:
            wanted |= Q(**{f"{reach.systems}__isnull": True})
        return wanted if reach.systems == "pk" else Q(pk__in=model._base_manager.filter(wanted).order_by().values("pk"))

    def _of_time(self, reach: Reach) -> Q:
        """Return the condition that a row began within the period, or touched it where it lasted."""
        found = Q()
        if not reach.moment:
            return found
        if self.until is not None:
            found &= Q(**{f"{reach.moment}__lt": self.until})
        if self.since is not None and reach.until:
            found &= Q(**{f"{reach.until}__isnull": True}) | Q(**{f"{reach.until}__gt": self.since})
        elif self.since is not None:
            found &= Q(**{f"{reach.moment}__gte": self.since})
        return found

    def _of_subjects(self, reach: Reach) -> Q:
        """Return the condition that what a row is about lies within the terms, each of its ends."""
        if not reach.about or self.unlimited:
            return Q()
        whole, parts = self._by_model(self.holds_all)
        if reach.record:  # such as a request for approval: it is about no other request
            parts = [model for model in parts if not REACH[model._meta.label].about]
        return reduce(and_, (self._about(kind, key, whole, parts) for kind, key in reach.about))

    def _about(self, kind: str, key: str, whole: list[Any], parts: list[Any]) -> Q:
        types = ContentType.objects.get_for_models(*whole, *parts)
        found = Q(**{f"{kind}__in": [types[model].pk for model in whole]})
        for model in parts:
            rows = model._base_manager.filter(self.condition(model)).order_by().values("pk")
            found |= Q(**{kind: types[model].pk, f"{key}__in": rows})
        if not self.systems:  # what is about nothing belongs to no system
            found |= Q(**{f"{kind}__isnull": True})
        return found

    def _by_model(self, holds_all: Any) -> tuple[list[Any], list[Any]]:
        """Return the opened models that are held whole, and those records of which only some rows are."""
        models_opened = [apps.get_model(label) for label in sorted(self.opened)]
        whole = [model for model in models_opened if holds_all(model)]
        parts = [m for m in models_opened if m not in whole and (found := reach_of(m._meta.label)) and found.record]
        return whole, parts

    def _of_trail(self) -> Q:
        """Return the condition of the trail's rows: of the opened kinds, of the systems, written within the period.

        What concerns no kind of record, such as a check of the trail itself, belongs to it.
        """
        found = Q()
        if self.since is not None:
            found &= Q(at__gte=self.since)
        if self.until is not None:
            found &= Q(at__lt=self.until)
        if not set(Register.values) <= self.registers:
            told = sorted(label.lower() for label in self.opened if not REACH.get(label, ANYTIME).own)
            found &= Q(model__in=["", *told])
        return found & self._of_roots() if self.systems else found

    def _of_roots(self) -> Q:
        whole, parts = self._by_model(self._of_any_system)
        found = Q(root_model__in=["", *(model._meta.label_lower for model in whole)])
        for model in parts:
            reach = reach_of(model._meta.label)
            if reach is None:
                continue
            rows = model._base_manager.filter(self._of_systems(model, reach)).order_by()
            keys = rows.annotate(key_text=Cast("pk", CharField(max_length=64))).values("key_text")
            found |= Q(root_model=model._meta.label_lower, root_id__in=keys)
        return found

    @staticmethod
    def _of_any_system(model: type[models.Model]) -> bool:
        reach = reach_of(model._meta.label)
        return reach is not None and not reach.systems and not reach.about


class EngagementScope:
    """What the running engagements of one auditor open together: portal.lib.visibility.ReadingScope.

    What the auditor may see by a role of their own is not narrowed.
    """

    def __init__(self, user: Any, terms: Iterable[Terms]) -> None:
        self.user = user
        self.terms = tuple(terms)

    @cached_property
    def permissions(self) -> frozenset[str]:
        """Return the permissions that the engagements give: to view, and no other."""
        opened: frozenset[str] = frozenset().union(*(terms.opened for terms in self.terms))
        return frozenset(permission_of(label) for label in opened)

    def narrow(self, rows: Rows) -> Rows:
        """Return the rows that lie within one of the engagements."""
        if self._by_own_role(rows.model) or self.holds_all(rows.model):
            return rows
        fitting = self._fitting(rows.model)
        return rows.filter(reduce(or_, (terms.condition(rows.model) for terms in fitting), NOTHING))

    def holds_all(self, model: type[models.Model]) -> bool:
        """Tell whether every row of a model lies within one of the engagements."""
        return self._by_own_role(model) or any(terms.holds_all(model) for terms in self._fitting(model))

    def granted(self, model: type[models.Model]) -> frozenset[str]:
        """Return the keys of the restricted records of a model that were granted by name."""
        return self._granted.get(model._meta.label_lower, frozenset())

    def granted_rows(self, model: type[models.Model]) -> models.QuerySet[Any]:
        """Return the same as a query of keys in words."""
        rows: models.QuerySet[Any] = GrantedRecord.objects.filter(
            engagement__in=[terms.engagement for terms in self.terms], withdrawn_at=None, model=model._meta.label_lower
        )
        return rows.order_by().values("object_id")

    @property
    def grants(self) -> frozenset[str]:
        """Return by what this scope is opened: the engagements, and the records that they grant by name."""
        records = {f"record {model} {key}" for model, keys in self._granted.items() for key in keys}
        return frozenset(records | {f"engagement {terms.engagement}" for terms in self.terms})

    @cached_property
    def _granted(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        rows = GrantedRecord.objects.filter(
            engagement__in=[terms.engagement for terms in self.terms], withdrawn_at=None
        )
        for model, key in rows.order_by().values_list("model", "object_id"):
            found.setdefault(model, set()).add(key)
        return {model: frozenset(keys) for model, keys in found.items()}

    def _fitting(self, model: type[models.Model]) -> list[Terms]:
        label = model._meta.label
        return [terms for terms in self.terms if label in terms.opened]

    def _by_own_role(self, model: type[models.Model]) -> bool:
        return permission_of(model._meta.label) in self._own_permissions

    @cached_property
    def _own_permissions(self) -> set[str]:
        return ModelBackend().get_all_permissions(self.user)


def scope_for(user: Any, *, at: datetime) -> EngagementScope | None:
    """Return what the engagements of an account open at this moment; nothing when none runs. One query."""
    columns = ("pk", "auditor_id", "registers", "records_from", "records_until", "systems")
    rows = Engagement.objects.running(at).filter(auditor_id=user.pk).order_by("pk").values_list(*columns)
    found: dict[int, tuple[Any, set[int]]] = {}
    for pk, *rest, system in rows:
        found.setdefault(pk, (rest, set()))[1].update([] if system is None else [system])
    terms = [
        Terms(pk, auditor, frozenset(registers), frozenset(systems), since, until)
        for pk, ((auditor, registers, since, until), systems) in found.items()
    ]
    return EngagementScope(user, terms) if terms else None
