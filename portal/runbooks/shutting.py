"""Whether a text of a runbook tells how to shut down what must stay up just now."""

from __future__ import annotations

from functools import lru_cache

from portal.runbooks import holding
from portal.runbooks.markdown import shutdown
from portal.runbooks.markdown.layout import arrange
from portal.runbooks.markdown.reading import read
from portal.runbooks.models import Runbook


def kept_back(runbook: Runbook, *texts: str) -> bool:
    """Tell whether one of these texts says how to shut its system down, while that is held back."""
    if runbook.system_id is None or not holding.held([runbook.system_id]):
        return False
    return any(map(tells, texts))


@lru_cache(maxsize=64)
def tells(text: str) -> bool:
    """Tell whether a text says how to shut a system down."""
    return any(section.body or section.parts for section in shutdown.sections(arrange(read(text))))
