"""How a security incident is classified, and which severity that proposes: tables and pure functions.

The four questions and their answers are those of NIST SP 800-61 revision 2 (Computer Security Incident Handling Guide):
functional impact (table 3-2), information impact (table 3-3) and recoverability (table 3-4) in section 3.2.6, attack
vectors in section 3.1.1. NIST leaves it to each organisation which priority follows. Here each answer names a level,
and the worst one is proposed; a person decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from incidents.enums import FunctionalImpact, InformationImpact, Recoverability

LEVELS: MappingProxyType[str, MappingProxyType[str, int]] = MappingProxyType(
    {
        "functional_impact": MappingProxyType(
            {
                FunctionalImpact.NONE: 4,
                FunctionalImpact.LOW: 3,
                FunctionalImpact.MEDIUM: 2,
                FunctionalImpact.HIGH: 1,
            }
        ),
        "information_impact": MappingProxyType(
            {
                InformationImpact.NONE: 4,
                InformationImpact.PRIVACY: 1,
                InformationImpact.PROPRIETARY: 2,
                InformationImpact.INTEGRITY: 2,
            }
        ),
        "recoverability": MappingProxyType(
            {
                Recoverability.REGULAR: 4,
                Recoverability.SUPPLEMENTED: 3,
                Recoverability.EXTENDED: 2,
                Recoverability.NOT_RECOVERABLE: 1,
            }
        ),
    }
)
WORDS: MappingProxyType[str, str] = MappingProxyType(
    {
        FunctionalImpact.LOW: "every service still reaches everybody, though less well",
        FunctionalImpact.MEDIUM: "a critical service is lost to some of its users",
        FunctionalImpact.HIGH: "a critical service is lost to everybody",
        InformationImpact.PRIVACY: "personal data was seen or taken",
        InformationImpact.PROPRIETARY: "confidential information was seen or taken",
        InformationImpact.INTEGRITY: "data was changed or deleted",
        Recoverability.SUPPLEMENTED: "recovering needs more people or means",
        Recoverability.EXTENDED: "nobody can say when it is recovered",
        Recoverability.NOT_RECOVERABLE: "it cannot be recovered",
    }
)
MILDEST = 4


@dataclass(frozen=True, slots=True)
class Proposal:
    """The level that a classification proposes, and the sentence why."""

    level: int
    why: str


def propose(*, functional_impact: str, information_impact: str, recoverability: str) -> Proposal | None:
    """Return the worst level that an answer names, with what names it; nothing while no question is answered."""
    answers = {
        "functional_impact": functional_impact,
        "information_impact": information_impact,
        "recoverability": recoverability,
    }
    named = {answer: LEVELS[question][answer] for question, answer in answers.items() if answer}
    if not named:
        return None
    level = min(named.values())
    worst = [WORDS[answer] for answer, found in named.items() if found == level and answer in WORDS]
    if level == MILDEST or not worst:
        return Proposal(level, "Nothing is lost, and usual means recover it.")
    sentence = ", and ".join(worst)
    return Proposal(level, f"{sentence[0].upper()}{sentence[1:]}.")
