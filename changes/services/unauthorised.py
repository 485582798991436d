"""Privileged writes to a system's configuration outside of any change's slot: found, accepted, or turned into one."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from changes.enums import ChangeType, FindingState
from changes.models import Change, Finding
from changes.policy import NotYours, Refused
from changes.services.common import PERIOD, account_of
from changes.services.drafting import Plan, draft
from portal.accounts.models import User
from portal.accounts.roles import has_role
from portal.audit.actor import By, acting
from portal.audit.enums import Action
from portal.audit.models import TrailRow
from portal.audit.stamping import stamp
from portal.directory.models import System
from portal.lib.blank import is_blank
from portal.records.models import Period

OVERLAP = timedelta(minutes=10)
"""How far each look reaches back behind the last one: rows of the trail are seen in another order than written."""
BY_PEOPLE = ("admin", "web", "api", "import")
MANAGERS = ("change-approver", "manager")
ROOT = "directory.system"


def look(*, since: datetime | None, at: datetime) -> int:
    """Write down who changed a system's configuration since the last look while no change was in progress on it.

    Return how many findings are new. What the portal itself and its operator's commands write is not asked for.
    """
    rows = TrailRow.objects.filter(
        privileged=True, root_model=ROOT, origin__in=BY_PEOPLE, at__gt=(since or at) - OVERLAP, at__lte=at,
        action__in=[Action.CREATED, Action.CHANGED, Action.DELETED],
    ).order_by("at", "id")  # fmt: skip
    first: dict[tuple[uuid.UUID, str], TrailRow] = {}
    for row in rows:
        if row.gesture is not None:
            first.setdefault((row.gesture, row.root_id), row)
    known = set(Finding.objects.filter(act__in={key for key, _ in first}).values_list("act", "system_id"))
    systems = System.objects.in_bulk([int(pk) for _, pk in first if pk.isdigit()])
    found = 0
    for (gesture, pk), row in first.items():
        system = systems.get(int(pk)) if pk.isdigit() else None
        if system is None or (gesture, system.pk) in known or _covered(system, row.at):
            continue
        words = {"made_at": row.at, "made_by": row.actor_name, "words": _words(row)}
        _, is_new = Finding.objects.get_or_create(system=system, act=gesture, defaults=words)
        found += is_new
    return found


def _covered(system: System, moment: datetime) -> bool:
    """Tell whether a change was in its slot on the system, or on one that it is a part of."""
    above: set[int] = set()
    one: System | None = system
    while one is not None and one.pk not in above:
        above.add(one.pk)
        one = one.parent
    return Period.objects.filter(
        Q(ends=None) | Q(ends__gte=moment), system__in=above, kind=PERIOD, starts__lte=moment
    ).exists()


def _words(row: TrailRow) -> str:
    return f"{row.get_action_display()} {row.name}"[:500]


def accept(finding: Finding, *, by: By, at: datetime, reason: str) -> Finding:
    """Accept a write outside of any slot, with a reason: by the change authority or a manager, never by its author."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        held = _held(finding, by=by)
        if is_blank(reason):
            raise Refused("Say in a sentence why it is accepted. The reason is kept.")
        held.state, held.answer = FindingState.ACCEPTED, reason.strip()
        stamp(held, "answered", by=by, at=at)
        held.save()
    return held


def turn(finding: Finding, *, by: By, at: datetime, reason: str = "") -> Change:
    """Make the draft of an emergency change of a write outside of any slot, and return it."""
    with transaction.atomic(), acting(by=by, at=at, reason=reason or "A write outside of any change"):
        held = _held(finding, by=by)
        title = f"{held.system}: what {held.made_by} changed"
        why = f"{held.words}, by {held.made_by}, outside of any change."
        values = {"title": title[:200], "justification": why, "type": ChangeType.EMERGENCY}
        made = draft(Plan(values, systems=[held.system]), by=by, at=at, reason=reason)
        held.state, held.change, held.answer = FindingState.TURNED, made, reason.strip()
        stamp(held, "answered", by=by, at=at)
        held.save()
    return made


def _held(finding: Finding, *, by: By) -> Finding:
    account = account_of(by)
    if account is None or not any(has_role(account, slug) for slug in MANAGERS):
        raise NotYours("Only the change authority and managers answer for this.")
    held: Finding = Finding.objects.select_for_update(of=("self",)).get(pk=finding.pk)
    if held.state != FindingState.OPEN:
        raise Refused(f"{held.answered_by} has answered it already: {held.get_state_display().lower()}.")
    if _is_author(held, account.pk):
        raise NotYours("You made this change yourself. Somebody else answers for it.")
    return held


def answerable(findings: Collection[Finding], user: User) -> set[int]:
    """Return the keys of the open findings that `user` may answer: nobody answers for what they wrote themselves."""
    if not any(has_role(user, slug) for slug in MANAGERS):
        return set()
    acts = [finding.act for finding in findings]
    own = set(TrailRow.objects.filter(gesture__in=acts, actor_id=user.pk).values_list("gesture", flat=True))
    return {finding.pk for finding in findings if finding.act not in own}


def _is_author(finding: Finding, user_id: int) -> bool:
    authors: Iterable[int | None] = TrailRow.objects.filter(gesture=finding.act).values_list("actor_id", flat=True)
    return user_id in set(authors)
