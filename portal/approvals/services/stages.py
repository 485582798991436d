"""Opening the stages one after another, and asking their people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from portal.approvals import messages
from portal.approvals.enums import StageState
from portal.approvals.models import ApprovalRequest, RuleStage, Stage
from portal.approvals.policy import Refused
from portal.approvals.services.common import move_stage, stages_of
from portal.approvals.services.people import contacts_of, deciders, may_decide


def open_next(request: ApprovalRequest, *, at: datetime) -> Stage | None:
    """Open the first stage that waits, ask its people, and return it; nothing when none waits."""
    stage = next((one for one in stages_of(request) if one.state == StageState.WAITING), None)
    if stage is None:
        return None
    move_stage(stage, "open")
    ask_people(request, stage, at=at)
    return stage


def ask_people(request: ApprovalRequest, stage: Stage, *, at: datetime, reminder: str = "") -> None:
    """Ask the people who may still decide at a stage, for the first time or with a reminder of this name."""
    people = contacts_of(may_decide(stage).values_list("pk", flat=True))
    kind = messages.REMINDER if reminder else messages.ASKED
    messages.tell(request, people, kind=kind, key=f"s{stage.position}{reminder}", at=at, stage=stage)


def check_somebody(stages: Iterable[RuleStage | Stage], *, but: Iterable[int | None]) -> None:
    """Refuse stages that could never be decided, because too few others have the role."""
    ids = list(but)
    for stage in stages:
        found = deciders(stage.role, but=ids).count()
        if found < stage.needed:
            others = "is 1" if found == 1 else f"are {found or 'none'}"
            raise Refused(
                f"Stage {stage.position}, {stage.name}, needs {stage.needed} with the role {stage.role} beside whoever "
                f"asks, edited it or carries it out; there {others}. Give somebody the role first."
            )
