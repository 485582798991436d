"""What a reader may see: one method on every QuerySet that reaches a page, a count, a feed or an export.

Three things narrow it: the view permission, the scope within which a reader was granted it, and restricted records. A
reader whose permissions are granted within a scope has a `reading_scope`; nothing here knows where it comes from.

A restricted record takes with it every row that is about it: those with a foreign key to it, those that name it by a
content type or in words, and the parts of such rows. That is read off the columns of a model, so that a new table never
leaks by being forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple, Protocol, Self, TypeAlias, TypeVar

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.db.models.functions import Cast

from portal.lib.remembering import remembered, remembering

Rows = TypeVar("Rows", bound=models.QuerySet[Any])


class ReadingScope(Protocol):
    """Within what a reader was granted their view permissions: `user.reading_scope`."""

    def narrow(self, rows: Rows) -> Rows:
        """Return the rows of the scope; all of them when the reader may see such rows by a role of their own."""
        ...

    def holds_all(self, model: type[models.Model]) -> bool:
        """Tell whether `narrow` leaves out no row of this model."""
        ...

    def granted(self, model: type[models.Model]) -> frozenset[str]:
        """Return the keys of the restricted records of this model that were granted by name."""
        ...

    def granted_rows(self, model: type[models.Model]) -> models.QuerySet[Any]:
        """Return the same as a query of keys in words."""
        ...


def scope_of(user: Any) -> ReadingScope | None:
    """Return the scope within which a reader reads, or nothing when their roles alone say what they see."""
    found: ReadingScope | None = getattr(user, "reading_scope", None)
    return found


def in_scope(rows: Rows, user: Any) -> Rows:
    """Return the rows that lie within the reader's scope; all of them without one."""
    scope = scope_of(user)
    return rows if scope is None else scope.narrow(rows)


def reads_all(user: Any, model: type[models.Model]) -> bool:
    """Tell whether the reader's scope leaves out no row of this model. It says nothing of permissions."""
    scope = scope_of(user)
    return scope is None or scope.holds_all(model)


Keys: TypeAlias = "list[Any] | models.QuerySet[Any]"
FEW = 500  # keys that stand in a query as they are; with more of them their own query becomes a part of it


def restricted_models() -> list[type[models.Model]]:
    """Return the models that keep records from some readers: those with a `hidden_from`."""
    return [model for model in apps.get_models() if hasattr(model, "hidden_from")]


def _few(query: models.QuerySet[Any]) -> Keys | None:
    """Return the keys that a query has now, when they are few; the query itself when not, nothing without any.

    A condition of literal keys costs a long table next to nothing, and none at all costs nothing.
    """
    found = list(query[: FEW + 1])
    return query if len(found) > FEW else found or None


def hidden_keys(model: type[models.Model], user: Any) -> Keys | None:
    """Return the keys of the restricted records of a model that this reader may not see; nothing when there are none.

    A model says which those are with a classmethod `hidden_from(user)`, which returns keys, a query of keys, or None.
    A query becomes a part of the reader's own; with `hides_few` on the model it is asked, once while a page is read.
    What was granted to the reader by name is not hidden from them.
    """
    return remembered((hidden_keys, model, user.pk, scope_of(user)), lambda: _hidden_keys(model, user))


def _hidden_keys(model: type[models.Model], user: Any) -> Keys | None:
    asked = getattr(model, "hidden_from", None)
    found: Any = asked(user) if asked is not None else None
    if found is None:
        return None
    scope = scope_of(user)
    if isinstance(found, models.QuerySet):
        if scope is not None:
            found = found.alias(key=_in_words()).exclude(key__in=scope.granted_rows(model))
        return _few(found) if getattr(model, "hides_few", False) else found
    granted = scope.granted(model) if scope is not None else frozenset()
    return [key for key in map(str, found) if key not in granted] or None


class Way(NamedTuple):
    """How rows lead to a record that they are about: by a foreign key to `model`, a content type, or words."""

    key: str
    kind: str = ""
    model: type[models.Model] | None = None
    words: bool = False


@cache
def ways(model: type[models.Model]) -> tuple[Way, ...]:
    """Return how rows of a model lead to other records, and through the record that they are a part of.

    `hidden_with` names one more foreign key that is followed, beside `belongs_to`.
    """
    fields = {field.name: field for field in model._meta.concrete_fields}
    found: list[Way] = []
    for name, field in fields.items():
        related: Any = field.related_model if field.is_relation else None
        if related is None or related is model:
            continue
        if related._meta.label != "contenttypes.ContentType":
            found.append(Way(name, model=related))
        elif (key := f"{name.removesuffix('_type')}_id") in fields:
            found.append(Way(key, name))
    pairs = (("root_id", "root_model"), ("object_id", "model"))
    found += [Way(*pair, words=True) for pair in pairs if set(pair) <= set(fields)][:1]
    for name in (getattr(model, "belongs_to", ""), getattr(model, "hidden_with", "")):
        if isinstance(name, str) and name in fields:
            owner: Any = fields[name].related_model
            parts = ways(owner)
            found += [Way(f"{name}__{w.key}", f"{name}__{w.kind}" if w.kind else "", w.model, w.words) for w in parts]
    return tuple(found)


def hidden_rows(model: type[models.Model], user: Any) -> Q | None:
    """Return the condition of the rows that restriction keeps from a reader; nothing when it keeps none from them.

    They are restricted records, and rows about one.
    """
    with remembering():
        found = _hiding(model, user)
    return _any(found) if found else None


def _hiding(model: type[models.Model], user: Any) -> list[Q]:
    found: list[Q] = []
    if (keys := hidden_keys(model, user)) is not None:
        found.append(Q(pk__in=keys))
    for way in ways(model):
        kinds = restricted_models() if way.kind else [way.model] if way.model is not None else []
        for restricted in kinds:
            keys = hidden_keys(restricted, user)
            if keys is not None:
                found.append(_by(way, restricted, keys))
    return found


def _by(way: Way, restricted: type[models.Model], keys: Keys) -> Q:
    if not way.kind:
        return Q(**{f"{way.key}__in": keys})
    if way.words:
        texts: Any = keys
        if isinstance(keys, models.QuerySet):
            texts = keys.annotate(in_words=_in_words()).values("in_words")
        return Q(**{way.kind: restricted._meta.label_lower, f"{way.key}__in": texts})
    content_type = apps.get_model("contenttypes.ContentType").objects.get_for_model(restricted)
    return Q(**{way.kind: content_type.pk, f"{way.key}__in": keys})


def _in_words() -> Cast:
    return Cast("pk", models.CharField(max_length=64))


def _any(conditions: Iterable[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found


def unhidden(rows: Rows, user: Any) -> Rows:
    """Return the rows without restricted records that are hidden from the reader, and without what is about them."""
    hidden = hidden_rows(rows.model, user)
    return rows if hidden is None else rows.exclude(hidden)


class Nobody:
    """A reader without any right: every restricted record is hidden from them."""

    pk = None
    is_active = is_staff = is_superuser = is_authenticated = False
    role_names: frozenset[str] = frozenset()
    reading_scope = None

    def has_perm(self, _permission: str, _obj: Any = None) -> bool:
        """Return False."""
        return False


def is_restricted(model: type[models.Model], key: Any) -> bool:
    """Tell whether a record is restricted: hidden from whoever has no right at all."""
    return bool(restricted_among(model, [str(key)]))


def restricted_among(model: type[models.Model], keys: Iterable[str]) -> set[str]:
    """Return which of these records are restricted. Without any of them nothing is asked."""
    return hidden_among(model, keys, Nobody())


def hidden_among(model: type[models.Model], keys: Iterable[Any], user: Any) -> set[str]:
    """Return which of these records are restricted and hidden from a reader. Without any of them nothing is asked."""
    wanted = set(map(str, keys))
    found: Any = hidden_keys(model, user) if wanted else None
    if isinstance(found, models.QuerySet):
        found = found.filter(pk__in=wanted)
    return set() if found is None else wanted.intersection(map(str, found))


class VisibleQuerySet(models.QuerySet[Any]):
    """Rows that can be narrowed to what one reader may see."""

    def visible_to(self, user: Any) -> Self:
        """Return the rows that `user` may read: those of their scope, without what restricted records keep from them.

        None without the view permission or when inactive.
        """
        meta = self.model._meta
        if not (user.is_active and user.has_perm(f"{meta.app_label}.view_{meta.model_name}")):
            return self.none()
        return unhidden(in_scope(self.all(), user), user)


def narrowed(rows: Rows, user: Any) -> Rows:
    """Return the rows that `user` may see: by `visible_to` where the model has it, else by the view permission."""
    if isinstance(rows, VisibleQuerySet):
        return rows.visible_to(user)
    meta = rows.model._meta
    may = user.has_perm(f"{meta.app_label}.view_{meta.model_name}")
    return unhidden(in_scope(rows, user), user) if may else rows.none()
