"""What the engine does for evidence: read again what is due, and clear away what uploads left."""

from __future__ import annotations

from portal.records.evidence import policy, storing
from portal.records.evidence.models import EvidenceCheck, EvidenceRule, named_digests
from portal.records.evidence.verifying import AT_ONCE, Clock, read_again


def sweep_evidence(*, now: Clock) -> int:
    """Read what is due again, within the bytes of one look, the longest unread first; return how many files.

    Of two that sweep at once on one machine, the second does nothing.
    """
    with storing.sweeping() as mine:
        return _sweep(now=now) if mine else 0


def _sweep(*, now: Clock) -> int:
    rule, done, read = EvidenceRule.now(), 0, 0
    budget = rule.verify_megabytes * policy.MEGABYTE
    for check in EvidenceCheck.objects.due(at=now(), every=rule.every).select_related("stored")[:AT_ONCE]:
        if done and read + check.stored.size > budget:
            break
        read_again(check.stored, now=now)
        done, read = done + 1, read + check.stored.size
    storing.clear_away(lambda digest: bool(named_digests([digest])), at=now())
    return done
