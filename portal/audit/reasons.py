"""Who acts and why: what every change of a privileged row is asked for, wherever it comes from."""

from __future__ import annotations

from typing import Any

from portal.audit.actor import current
from portal.lib.blank import is_blank

REASON_LENGTH = 300
SAY_WHY = "Say why: this record decides who is called or what may be done, so its history keeps a reason."


class Unattributed(RuntimeError):
    """A privileged row was about to change with nobody named as its actor."""


class ReasonMissing(ValueError):
    """A privileged row was about to change and nobody said why; the sentence asks for it."""


def demand_actor_and_reason(row: Any, event: str = "") -> None:
    """Let a privileged row change only when somebody is named and says why. This is the one place that asks.

    `event` is what history says of a change whose values it leaves out: one in the model's `self_explaining` is its
    own reason. Unattributed and ReasonMissing are raised.
    """
    if not row.privileged:
        return
    acting = current()
    if acting is None:
        raise Unattributed(
            f"Nobody is named as the actor of this change to {_words(row)}. Open acting(by=..., reason=...) around it."
        )
    if is_blank(acting.reason) and event not in row.self_explaining:
        raise ReasonMissing(f"Say why. A change to {_words(row)} is kept with its reason.")


def one_line(text: str) -> str:
    """Return what somebody typed as a reason, fit to be kept: without line breaks and zeros; "" when none is seen."""
    return "" if is_blank(text) else " ".join(text.replace("\x00", "").split())


def _words(row: Any) -> str:
    """Return how a sentence calls the row; a new one may not know yet what it belongs to."""
    name = "" if row.pk is None else f" {row}"
    return f"{row._meta.verbose_name}{name}"
