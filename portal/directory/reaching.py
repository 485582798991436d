"""How a person wants to be reached: over which way after how long, when not at all, and how pages are gathered.

Every verb that writes asks for its reason: who is called is never changed without one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time

from django.core.exceptions import ValidationError
from django.db import transaction

from portal.audit.actor import By, acting
from portal.directory.enums import Occasion
from portal.directory.models import Contact, ContactMethod, NotificationRule
from portal.directory.models.rules import LONGEST_DELAY
from portal.lib import durations

Rules = Mapping[str, Sequence[NotificationRule]]
Way = tuple[ContactMethod, int]


def rules_of(contact_ids: Iterable[int]) -> dict[int, dict[str, list[NotificationRule]]]:
    """Return the rules of each person by occasion, the soonest first. People without rules are missing. One query."""
    found: dict[int, dict[str, list[NotificationRule]]] = defaultdict(lambda: defaultdict(list))
    rows = NotificationRule.objects.filter(contact_id__in=list(contact_ids)).order_by("delay_seconds", "id")
    for row in rows:
        found[row.contact_id][row.occasion].append(row)
    return {contact_id: dict(rules) for contact_id, rules in found.items()}


def ways(methods: Sequence[ContactMethod], rules: Rules, *, loud: bool) -> list[Way]:
    """Return over which of these usable methods, best first, somebody is paged, each after how many seconds.

    Loud pages follow the usual rules where there are none of their own, and the first method alone where there are no
    rules at all. When the methods of the first steps are no longer usable, the next one moves up: a page never waits
    for a way that is not there.
    """
    usable = {method.pk: method for method in methods}
    for occasion in (Occasion.LOUD, Occasion.USUAL) if loud else (Occasion.USUAL,):
        steps = [
            (usable[row.method_id], row.delay_seconds) for row in rules.get(occasion, ()) if row.method_id in usable
        ]
        if steps:
            first = steps[0][1]
            return [(method, seconds - first) for method, seconds in steps]
    return [(method, 0) for method in methods[:1]]


@transaction.atomic
def set_rules(
    contact: Contact, occasion: str, steps: Sequence[tuple[int, int]], *, by: By, at: datetime, reason: str
) -> None:
    """Make these the person's rules for the occasion: pairs of a method's id and seconds. None: the first method alone.

    ValidationError is raised with a sentence for a method that is not theirs or named twice, for a delay that is too
    long, and when nothing leaves at once.
    """
    Contact.objects.select_for_update().get(pk=contact.pk)
    wanted = dict(steps)
    _check(contact, occasion, steps)
    with acting(by=by, at=at, reason=reason):
        for row in NotificationRule.objects.filter(contact=contact, occasion=occasion):
            if row.method_id not in wanted:
                row.delete()
            elif row.delay_seconds != (seconds := wanted.pop(row.method_id)):
                row.delay_seconds = seconds
                row.save()
        for method_id, seconds in wanted.items():
            NotificationRule.objects.create(
                contact=contact, occasion=occasion, method_id=method_id, delay_seconds=seconds
            )


def _check(contact: Contact, occasion: str, steps: Sequence[tuple[int, int]]) -> None:
    if occasion not in Occasion.values:
        raise ValidationError("Choose whether the rules are for usual or for loud pages.")
    if not steps:
        return
    standing = {method.pk: method for method in ContactMethod.objects.filter(contact=contact, active=True)}
    if any(method_id not in standing or not standing[method_id].can_send for method_id, _ in steps):
        raise ValidationError("Your contact methods have changed meanwhile. Look at them again.")
    if len({method_id for method_id, _ in steps}) < len(steps):
        raise ValidationError("Each method has one place. Leave the second one out.")
    if any(seconds < 0 or seconds > LONGEST_DELAY for _, seconds in steps):
        raise ValidationError(f"A method waits at most {durations.words(LONGEST_DELAY)}. Choose less.")
    if min(seconds for _, seconds in steps) > 0:
        raise ValidationError("Let one method be used at once, so that a page is never late.")


@transaction.atomic
def set_hours(
    contact: Contact,
    *,
    quiet_from: time | None,
    quiet_until: time | None,
    bundle_seconds: int,
    by: By,
    at: datetime,
    reason: str,
) -> Contact:
    """Set the person's quiet hours, or take them away, and how long further pages are gathered.

    ValidationError is raised with a sentence for hours without a begin or an end.
    """
    fresh = Contact.objects.select_for_update().get(pk=contact.pk)
    if (quiet_from is None) != (quiet_until is None):
        raise ValidationError({"quiet_until": "Give both when the quiet hours begin and when they end, or neither."})
    fresh.quiet_from, fresh.quiet_until, fresh.bundle_seconds = quiet_from, quiet_until, bundle_seconds
    fresh.clean()
    fresh.clean_fields(exclude=["user", "time_zone"])
    with acting(by=by, at=at, reason=reason):
        fresh.save()
    return fresh
