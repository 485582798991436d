"""How a row of the trail is written: in the transaction of what it tells."""

from __future__ import annotations

import inspect
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from django.db import connections, models, router
from django.db.models import Max
from django.utils import timezone

from portal.audit.actor import current
from portal.audit.enums import OF_HISTORY, Action
from portal.audit.tables import Difference, TrailRow
from portal.lib import durations
from portal.lib.inserting import insert_values
from portal.lib.visibility import is_restricted, restricted_among, restricted_models

MASKED = "not shown"
ACTOR_LENGTH = 200
NAME_LENGTH = 200
OBJECT_LENGTH = 64
LONGEST_VALUE = 2000
BEFORE_PARTING = 80  # letters that two long values have in common, told before they part
_OUR_SIDE = ("django.", "simple_history.", "portal.audit.", "asgiref.", "contextlib")
Values = dict[str, Any]


def entry_point() -> str:
    """Return the function that reached the ORM from outside it, to name a write that nobody attributed."""
    frame = inspect.currentframe()
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not f"{name}.".startswith(_OUR_SIDE):
            return f"{name}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "unknown"


def record(
    action: Action,
    *,
    event: str,
    subject: models.Model | None = None,
    model: str = "",
    object_id: object = "",
    reference: str = "",
    name: str = "",
    reason: str = "",
    privileged: bool = False,
    differences: Sequence[Difference] = (),
) -> None:
    """Append one row that belongs to no history row: a sign-in, a reading, an export, a verification.

    Who, when, from where and as part of what come from the open `acting` context. `subject` names the record;
    without one, `model`, `object_id`, `reference` and `name` do. ValueError is raised for an action that history tells.
    """
    if action in OF_HISTORY.values():
        raise ValueError("A change is told by its history row.")
    told = named(subject) if subject is not None else _standing_alone(model, object_id)
    values = {**_who(), **told, "action": action.value, "event": event[:NAME_LENGTH], "history_id": None}
    values["reference"] = reference[:40] or values["reference"]
    values["name"] = name[:NAME_LENGTH] or values["name"]
    values["reason"] = reason or values["reason"]
    values["privileged"] = privileged or values["privileged"]
    append([values | _changes(differences)])


def record_reading(subject: models.Model, event: str = "") -> None:
    """Append that somebody opened `subject`: a restricted record, a piece of evidence."""
    record(Action.READ, event=event or f"Opened {subject._meta.verbose_name} {subject}", subject=subject)


def record_opening(subject: models.Model, how: str = "", *, unless_since: datetime | None = None) -> None:
    """Append that somebody opened a record, where it is restricted. `how` says as what, such as "with its history".

    With `unless_since`, for a page that asks again by itself: not when the same account opened it since then.
    """
    if is_restricted(type(subject), subject.pk) and not (unless_since and _has_opened(subject, unless_since)):
        record_reading(subject, f"Opened {subject._meta.verbose_name} {subject} {how}".strip())


def _has_opened(subject: models.Model, since: datetime) -> bool:
    """Tell whether whoever acts opened the record since then. Nobody who is not known did."""
    account = _who()["actor_id"]
    own = TrailRow.objects.filter(model=subject._meta.label_lower, object_id=str(subject.pk), action=Action.READ)
    return account is not None and own.filter(actor_id=account, at__gte=since).exists()


def record_openings(rows: Iterable[TrailRow], how: str) -> None:
    """Append that somebody opened the restricted records that rows of the trail tell of, which may be gone.

    However many they are: two queries for each kind of restricted records among them, and one that writes.
    """
    roots: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        roots[row.root_model].add(row.root_id)
    told: list[Values] = []
    for model in restricted_models():
        label = model._meta.label_lower
        keys = restricted_among(model, roots.get(label, ()))
        names = _last_names(label, keys) if keys else {}
        for key in sorted(keys):
            reference, name = names.get(key, ("", ""))
            values = {**_who(), **_standing_alone(label, key), **_changes(()), "action": Action.READ.value}
            values |= {"reference": reference, "name": name, "history_id": None}
            told.append(values | {"event": f"Opened {model._meta.verbose_name} {name or key} {how}"[:NAME_LENGTH]})
    if told:
        append(told)


def _last_names(label: str, keys: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return reference and name of these objects as the trail told them last."""
    own = TrailRow.objects.filter(model=label, object_id__in=keys).order_by()
    last = own.values("object_id").annotate(last=Max("id")).values("last")
    found = TrailRow.objects.filter(pk__in=last).values_list("object_id", "reference", "name")
    return {key: (reference, name) for key, reference, name in found}


def of_history(
    instance: models.Model,
    row: Any,
    differences: Sequence[Difference],
    *,
    event: str = "",
) -> Values:
    """Return the values of the trail's row for one saved history row."""
    acting = current()
    return {
        "at": row.history_date,
        "actor_name": row.actor_name,
        "actor_id": row.history_user_id,
        "contact_id": row.actor_contact_id,
        "origin": row.origin,
        "address": row.remote_address,
        "gesture": row.gesture,
        "reason": acting.reason if acting is not None else "",
        "action": OF_HISTORY[row.history_type].value,
        "event": event[:NAME_LENGTH],
        "history_id": row.history_id,
        **named(instance),
        **_changes(differences),
    }


def append(rows: Sequence[Mapping[str, Any]], using: str | None = None) -> None:
    """Insert rows of the trail: one in one statement, many in a few."""
    alias = using or router.db_for_write(TrailRow)
    if len(rows) > 1:
        insert_values(TrailRow, rows)
        return
    connection = connections[alias]
    statement, prepare = _insert(alias)
    values = rows[0]
    with connection.cursor() as cursor:
        cursor.execute(statement, [prepare[name](values[name]) if name in prepare else values[name] for name in _NAMES])


_NAMES: tuple[str, ...] = tuple(f.attname for f in TrailRow._meta.concrete_fields if not f.primary_key)


@cache
def _insert(alias: str) -> tuple[str, dict[str, Any]]:
    """Return the statement that inserts one row, and what the database needs done to some values."""
    connection = connections[alias]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(name) for name in _NAMES)
    statement = (
        f"INSERT INTO {quote(TrailRow._meta.db_table)} ({columns}) "  # noqa: S608 - names of our own model
        f"VALUES ({', '.join(['%s'] * len(_NAMES))})"
    )
    return statement, {name: _preparing(TrailRow._meta.get_field(name), connection) for name in ("at", "gesture")}


def _preparing(field: Any, connection: Any) -> Any:
    return lambda value: field.get_db_prep_save(value, connection)


def named(instance: Any) -> Values:
    """Return how the trail names a record: model, id, reference and name of now, and the record that it belongs to."""
    meta = instance._meta
    model, key = meta.label_lower, str(instance.pk)[:OBJECT_LENGTH]
    root_model, root_id = _root(instance)
    audited = hasattr(instance, "audit_name")
    return {
        "model": model,
        "object_id": key,
        "reference": (instance.audit_reference() if audited else str(getattr(instance, "reference", "")))[:40],
        "name": (instance.audit_name() if audited else str(instance))[:NAME_LENGTH],
        "root_model": root_model,
        "root_id": str(root_id)[:OBJECT_LENGTH],
        "privileged": bool(getattr(instance, "privileged", False)),
    }


def _root(instance: Any) -> tuple[str, Any]:
    """Return model and id of the record that a row is part of, however deep; its own when it stands alone."""
    owner = getattr(instance, "belongs_to", "")
    field = instance._meta.get_field(owner) if owner else None
    key = getattr(instance, field.attname) if field is not None else None
    if field is None or key is None:
        return instance._meta.label_lower, instance.pk
    if getattr(field.related_model, "belongs_to", ""):
        return _root(getattr(instance, owner))
    return field.related_model._meta.label_lower, key


def _standing_alone(model: str, object_id: object) -> Values:
    key = str(object_id)[:OBJECT_LENGTH]
    return {
        "model": model,
        "object_id": key,
        "reference": "",
        "name": "",
        "root_model": model,
        "root_id": key,
        "privileged": False,
    }


def _who() -> Values:
    """Return who, when, why and from where, for a row that is written now."""
    acting = current()
    if acting is None:
        return {
            "at": timezone.now(),
            "actor_name": f"unattributed: {entry_point()}"[:ACTOR_LENGTH],
            "actor_id": None,
            "contact_id": None,
            "origin": "",
            "address": "",
            "gesture": None,
            "reason": "",
        }
    actor = acting.actor
    return {
        "at": acting.at or timezone.now(),
        "actor_name": actor.name[:ACTOR_LENGTH],
        "actor_id": actor.user_id,
        "contact_id": actor.contact_id,
        "origin": acting.origin,
        "address": acting.address,
        "gesture": acting.gesture,
        "reason": acting.reason,
    }


def _changes(differences: Sequence[Difference]) -> Values:
    names = " ".join(dict.fromkeys(difference.field for difference in differences))
    return {"fields": f" {names} " if names else "", "changes": canonical(differences)}


def canonical(differences: Iterable[Difference]) -> str:
    """Return the one text of some differences."""
    return json.dumps([list(found) for found in differences], ensure_ascii=False, separators=(",", ":"))


class Teller:
    """Tells values in words that last: the name of what a key points at, a moment in UTC. Asks for each name once."""

    def __init__(self) -> None:
        self._names: dict[tuple[Any, Any], str] = {}

    def difference(
        self, instance: Any, field: models.Field[Any, Any], old: Any, new: Any, masked: Collection[str]
    ) -> Difference:
        """Return one field of `instance` before and after."""
        if field.name in masked:
            return Difference(field.name, MASKED if _something(old) else None, MASKED if _something(new) else None)
        return Difference(field.name, *_shortened(self._whole(instance, field, old), self._whole(instance, field, new)))

    def told(self, instance: Any, field: Any, value: Any) -> str | None:
        """Return a value in words, cut where it is too long; None for nothing."""
        return _shortened(self._whole(instance, field, value), None)[0]

    def _whole(self, instance: Any, field: Any, value: Any) -> str | None:
        if not _something(value):
            return None
        if field.is_relation:
            return self.name(field.related_model, value, field.get_cached_value(instance, default=None))
        if field.choices and (label := dict(field.flatchoices).get(value)) is not None:
            return str(label) if str(label).lower() == str(value).lower() else f"{label} ({value})"
        if isinstance(value, str) and not isinstance(field, models.CharField | models.TextField):
            value = field.to_python(value)  # as the database will give it back: "09:00" is 09:00:00
        return _text(value)

    def name(self, model: Any, key: Any, known: Any = None) -> str:
        """Return "Amara Okafor (12)" for what a key points at."""
        if (model, key) not in self._names:
            row = known if known is not None and known.pk == key else model._base_manager.filter(pk=key).first()
            self._names[model, key] = f"{row} ({key})" if row is not None else f"({key})"
        return self._names[model, key]

    def names(self, model: Any, keys: Iterable[Any]) -> str | None:
        """Return the names of several, in the order of their keys; None for none."""
        wanted = sorted(keys)
        missing = [key for key in wanted if (model, key) not in self._names]
        if missing:
            found = model._base_manager.in_bulk(missing)
            self._names |= {(model, key): f"{row} ({key})" for key, row in found.items()}
        return ", ".join(self.name(model, key) for key in wanted) or None


def _something(value: Any) -> bool:
    return value is not None and value not in ("", [], {})


def _shortened(old: str | None, new: str | None) -> tuple[str | None, str | None]:
    """Return both texts short enough to be told. Long ones that begin alike begin shortly before they part."""
    start = 0
    if old is not None and new is not None and max(len(old), len(new)) > LONGEST_VALUE:
        parting = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        start = parting - BEFORE_PARTING if parting >= LONGEST_VALUE - 1 else 0
    return _cut(old, start), _cut(new, start)


def _cut(text: str | None, start: int = 0) -> str | None:
    if text is None:
        return None
    rest = f"…{text[start:]}" if start else text
    return rest if len(rest) <= LONGEST_VALUE else f"{rest[: LONGEST_VALUE - 1]}…"


def plain(value: Any) -> str:
    """Return a value as text that reads the same in every zone and on every database, cut where it is too long."""
    return _cut(_text(value)) or ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _span(value)
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def _span(value: timedelta) -> str:
    words = durations.words(value.total_seconds())
    return words if durations.parse(words) == value else str(value)
