"""The holes of communications: audiences that must be told and whose list is empty, templates that name no field."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse

from incidents.communications.words import problem_with
from incidents.enums import Audience
from incidents.models import AudienceMember, CommunicationTemplate
from portal.directory.models import SeverityClock
from portal.directory.readiness import Hole

BY_HAND = "What they are told has to be said by other means, and recorded by hand."


def holes() -> list[Hole]:
    """Return every gap that keeps an audience from being told through the portal. Three queries."""
    return [*_empty_lists(), *_broken_templates()]


def _empty_lists() -> Iterable[Hole]:
    asked = set(SeverityClock.objects.filter(clock__in=Audience.values).values_list("clock", flat=True))
    listed = set(AudienceMember.objects.filter(active=True).values_list("audience", flat=True))
    for audience in Audience:
        if audience in asked - listed:
            sentence = f"Nobody stands on the list of {audience.label.lower()}."
            address = f"{reverse('admin:incidents_audiencemember_add')}?audience={audience}"
            yield Hole("portal", None, "amber", sentence, address, BY_HAND)


def _broken_templates() -> Iterable[Hole]:
    for template in CommunicationTemplate.objects.filter(active=True).order_by("name"):
        problem = problem_with(template.subject) or problem_with(template.body)
        if problem:
            mend = reverse("admin:incidents_communicationtemplate_change", args=[template.pk])
            yield Hole("portal", None, "amber", f"The template “{template}” is broken.", mend, problem)
