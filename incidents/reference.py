"""Rows that every installation starts with: policies, what labels of alerts mean, what each type of incident is by
default, what contains a security incident, and words for audiences.

Loading is idempotent: what is missing while nothing of its kind stands is made, and what somebody edited is left alone.
"""

from __future__ import annotations

from incidents.communications import reference as communications
from incidents.enums import AttackVector, IncidentType, TargetKind
from incidents.models import (
    ContainmentProposal,
    EscalationPolicy,
    EscalationStep,
    EscalationTarget,
    IntakeMapping,
    TypeRule,
)
from portal.directory.models import Severity, Team

REASON = "Reference data of this version"

# name: (default, security, steps of (seconds after the step before, teams))
POLICIES: dict[str, tuple[bool, bool, tuple[tuple[int, tuple[str, ...]], ...]]] = {
    "On call, then operations": (True, False, ((0, ("oncall",)), (300, ("ops",)))),
    "Security": (False, True, ((0, ("security",)), (300, ("oncall", "ops")))),
}

# What the label `severity` of an alert says: the level of each word, by the severity words of the company.
SEVERITY_WORDS = {
    "critical": 1, "fatal": 1, "emergency": 1, "high": 2, "error": 2, "major": 2, "warning": 3, "medium": 3, "minor": 3,
    "average": 3, "low": 4, "info": 4, "ok": 4,
}  # fmt: skip
RESTRICTED = (IncidentType.SECURITY,)  # types of incidents that only members read, until somebody edits the rule
# What everybody who acts on an incident of a type reads first: the company's own words for security incidents.
NOTICES: dict[str, str] = {
    IncidentType.SECURITY.value: "Do NOT shut down systems: that destroys evidence. Contact the security lead at once. "
    "Follow SECURITY.md. Document every action. Preserve logs and evidence."
}
CONTAINMENT: tuple[tuple[str, str], ...] = (
    ("", "Keep the systems running; take affected ones off the network instead."),
    ("", "Copy memory and logs of the affected systems before anything is changed."),
    ("", "Withdraw and renew the keys, tokens and passwords that may be known."),
    (AttackVector.EMAIL, "Take the message out of every mailbox, and block its sender and links."),
    (AttackVector.EMAIL, "End the sessions of whoever opened it, and have their passwords changed."),
    (AttackVector.WEB, "Block the addresses and requests of the attack at the edge."),
    (AttackVector.WEB, "Put the affected application behind a page that only staff pass."),
    (AttackVector.ATTRITION, "Limit or block what comes in too often, and ask the provider to filter."),
    (AttackVector.MEDIA, "Keep the medium as it is, and look for others of its kind."),
    (AttackVector.IMPERSONATION, "Take down or block what pretends, and warn whoever trusted it."),
    (AttackVector.IMPROPER_USE, "Close the account's access, without telling its holder before the lead agrees."),
    (AttackVector.LOSS, "Lock and wipe the equipment from afar, once the lead agrees."),
)
FIRST_POSITION = 900  # behind the mappings that people add


def load() -> None:
    """Make the policies when there is none at all, the mappings when there is no mapping, and so on."""
    _load_policies()
    _load_mappings()
    communications.load()
    _load_rules()
    _load_containment()


def _load_containment() -> None:
    if ContainmentProposal.objects.exists():
        return
    for position, (vector, text) in enumerate(CONTAINMENT, start=1):
        ContainmentProposal.objects.create(position=position * 10, vector=vector, text=text)


def _load_rules() -> None:
    standing = set(TypeRule.objects.values_list("type", flat=True))
    for kind in IncidentType.values:
        if kind not in standing:
            TypeRule.objects.create(type=kind, restricted=kind in RESTRICTED, notice=NOTICES.get(kind, ""))


def _load_mappings() -> None:
    levels = {severity.level: severity for severity in Severity.objects.all()}
    if IntakeMapping.objects.exists():
        return
    for position, (word, level) in enumerate(SEVERITY_WORDS.items(), start=FIRST_POSITION):
        if level in levels:
            IntakeMapping.objects.create(position=position, label="severity", value=word, severity=levels[level])


def _load_policies() -> None:
    if EscalationPolicy.objects.exists():
        return
    teams = {team.slug: team for team in Team.objects.all()}
    for name, (is_default, for_security, steps) in POLICIES.items():
        policy = EscalationPolicy.objects.create(name=name, is_default=is_default, for_security=for_security)
        for position, (delay, slugs) in enumerate(steps, start=1):
            step = EscalationStep.objects.create(policy=policy, position=position, delay_seconds=delay)
            for slug in slugs:
                if slug in teams:
                    EscalationTarget.objects.create(step=step, kind=TargetKind.TEAM, team=teams[slug])
