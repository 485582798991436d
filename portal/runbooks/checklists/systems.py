"""Systems as records that checklists are worked for: starting, stopping, backing up and deploying one."""

from __future__ import annotations

from portal.directory.models import System
from portal.runbooks.checklists.subjects import Facts, Subject


def facts_of(system: System) -> Facts:
    """Return what rules ask of a system: itself."""
    return Facts(system_ids=frozenset({system.pk}))


def is_over(system: System) -> bool:
    """Tell whether nothing is worked for it any more."""
    return not system.active


SYSTEM = Subject(kind="system", model=System, label="system", facts=facts_of, is_over=is_over)
