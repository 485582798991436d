"""The templates, rules and lists that every installation starts with. What somebody edited is left alone.

Each text is true and whole as it stands, for whoever has no time to add to it.
"""

from __future__ import annotations

from incidents.enums import Audience, Occasion
from incidents.models import AudienceMember, CommunicationRule, CommunicationTemplate
from portal.directory.models import Team

_HEAD = "[{severity}] {reference}: {title}"

# audience, occasion: name, subject, text
TEMPLATES: dict[tuple[Audience, Occasion], tuple[str, str, str]] = {
    (Audience.STAKEHOLDERS, Occasion.FIRST): (
        "Stakeholders, first message",
        _HEAD,
        (
            "{title}.\n\nAffected: {systems}. Severity {severity}, {severity_name}: {impact}\n"
            "Since: {started}. Commander: {commander}.\n\nWe are working on it. Next update {next_update}."
        ),
    ),
    (Audience.STAKEHOLDERS, Occasion.NEXT): (
        "Stakeholders, next update",
        _HEAD,
        "{title}: still {status}, for {duration} now. We are working on it.\n\nNext update {next_update}.",
    ),
    (Audience.STAKEHOLDERS, Occasion.END): (
        "Stakeholders, end",
        "[{severity}] {reference} is {status}: {title}",
        "{title}: {status} after {duration}. Affected: {systems}.\n\nNext update {next_update}.",
    ),
    (Audience.CUSTOMERS, Occasion.FIRST): (
        "Customers, first message",
        "{systems}: we are working on a problem",
        ("There is a problem with {systems} since {started}.\n\nWe are working on it and write again {next_update}."),
    ),
    (Audience.CUSTOMERS, Occasion.NEXT): (
        "Customers, next update",
        "{systems}: how it stands",
        "We are still working on the problem with {systems}.\n\nWe write again {next_update}.",
    ),
    (Audience.CUSTOMERS, Occasion.END): (
        "Customers, end",
        "{systems}: the problem is over",
        "The problem with {systems} is over. It lasted {duration}.\n\nWe are sorry for the trouble.",
    ),
    (Audience.EXECUTIVES, Occasion.FIRST): (
        "Executives, summary",
        "Summary of {reference}: {title}",
        (
            "{title}. {severity}, {severity_name}: {impact}\n\nIt is {status}, and has lasted {duration} so far. "
            "Affected: {systems}. Commander: {commander}."
        ),
    ),
    (Audience.EXECUTIVES, Occasion.END): (
        "Executives, end",
        "{reference} is {status}: {title}",
        "{title}: {status} after {duration}. {severity}, {severity_name}: {impact} Affected: {systems}.",
    ),
}
# Who is told when nobody has said: those who answer for operations and those who speak with customers.
STAKEHOLDER_TEAMS = ("ops", "support")


def load() -> None:
    """Make the templates, rules and lists where there is none of their kind."""
    if not CommunicationTemplate.objects.exists():
        for (audience, occasion), (name, subject, body) in TEMPLATES.items():
            CommunicationTemplate.objects.create(
                name=name, audience=audience, occasion=occasion, subject=subject, body=body
            )
    if not CommunicationRule.objects.exists():
        for audience in Audience:
            CommunicationRule.objects.create(audience=audience, needs_approval=False)
    if not AudienceMember.objects.exists():
        for team in Team.objects.filter(slug__in=STAKEHOLDER_TEAMS).order_by("slug"):
            AudienceMember.objects.create(audience=Audience.STAKEHOLDERS, team=team)
