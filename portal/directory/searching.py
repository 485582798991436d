"""What is found of the directory: systems, people and teams that are active."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from portal.directory.models import Contact, System, Team
from portal.search.registry import Searchable, Shown


def _systems(user: Any) -> QuerySet[Any]:
    return System.objects.visible_to(user).filter(active=True)


def _system(row: Mapping[str, Any]) -> Shown:
    owner = row["owner__name"]
    owned = f"Owned by {owner}" if owner else "Nobody owns it"
    return Shown(row["name"], owned)


def _of_system(row: Mapping[str, Any]) -> str:
    return reverse("directory:system", args=[row["slug"]])


def _people(user: Any) -> QuerySet[Any]:
    return Contact.objects.visible_to(user).filter(active=True)


def _person(row: Mapping[str, Any]) -> Shown:
    return Shown(row["name"], row["title"])


def _of_person(row: Mapping[str, Any]) -> str:
    return f"{reverse('directory:people')}#contact-{row['pk']}"


def _teams(user: Any) -> QuerySet[Any]:
    return Team.objects.visible_to(user).filter(active=True)


def _team(row: Mapping[str, Any]) -> Shown:
    return Shown(row["name"], row["description"])


def _of_team(row: Mapping[str, Any]) -> str:
    return f"{reverse('directory:people')}#team-{row['slug']}"


SYSTEM = Searchable(
    kind="system", label="System", group="Systems", icon="server", model=System,
    columns=("name", "slug", "description"), rows=_systems, show=_system, url=_of_system,
    values=("owner__name",), system="pk",
)  # fmt: skip
PERSON = Searchable(
    kind="person", label="Person", group="People and teams", icon="user", model=Contact, columns=("name", "title"),
    rows=_people, show=_person, url=_of_person,
)  # fmt: skip
TEAM = Searchable(
    kind="team", label="Team", group="People and teams", icon="users", model=Team,
    columns=("name", "slug", "description"), rows=_teams, show=_team, url=_of_team,
)  # fmt: skip
KINDS = (SYSTEM, PERSON, TEAM)
