"""The plans that every installation starts with: privileged changes each month, access each quarter."""

from __future__ import annotations

from portal.accounts.roles import BY_SLUG, ROLES
from portal.assurance.enums import ReviewKind
from portal.assurance.models import ReviewPlan

REVIEWING = ("security-lead", "manager")


def load() -> None:
    """Make the plans while there is none; what somebody edited is left alone. Run it inside `acting`."""
    if ReviewPlan.objects.exists():
        return
    reviewers = [BY_SLUG[slug].name for slug in REVIEWING]
    ReviewPlan.objects.create(
        name="Privileged changes", kind=ReviewKind.CHANGES, months=1, days=14, reviewer_roles=reviewers
    )
    ReviewPlan.objects.create(
        name="Access",
        kind=ReviewKind.ACCESS,
        months=3,
        days=21,
        reviewer_roles=reviewers,
        roles=[role.name for role in ROLES],
        all_accounts=True,
        engagements=True,
    )
