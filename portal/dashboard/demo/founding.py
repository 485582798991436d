"""Makes the directory of the demo company: accounts, people, teams, systems, policies, on-call."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password

from incidents.models import EscalationPolicy, EscalationStep, EscalationTarget, IntakeMapping
from portal.accounts import services as accounts
from portal.accounts.models import User
from portal.audit.actor import By
from portal.dashboard.demo import company, rotating
from portal.directory import services as directory
from portal.directory.enums import EmergencyRole, MethodKind
from portal.directory.models import (
    Channel,
    Contact,
    EmergencyContact,
    RecoveryObjective,
    System,
    Team,
)

REASON = "The demo company"


def found(*, by: By, at: datetime, now: datetime, password: str) -> dict[str, Contact]:
    """Make everything that incidents need, and return the people by key.

    `at` is when the company began to use the portal, `now` the present. Without a password nobody gets an account.
    """
    hashed = make_password(password) if password else ""  # once: hashing is slow on purpose
    people = {person.key: _person(person, by=by, at=at, password=hashed) for person in company.PEOPLE}
    _teams(people)
    rotating.put_on_call(people, by=by, at=at, now=now)
    systems = {product.slug: _system(product, people, now) for product in company.SYSTEMS}
    for product in company.SYSTEMS:
        if product.parent:
            systems[product.slug].parent = systems[product.parent]
            systems[product.slug].save()
    Channel.objects.create(name="Operations room", kind=MethodKind.EMAIL, address=f"operations-room@{company.DOMAIN}")
    _policies(people, systems)
    _mappings(systems)
    return people


def _person(person: company.Person, *, by: By, at: datetime, password: str) -> Contact:
    user = _account(person, by=by, at=at, password=password) if person.login and password else None
    contact = Contact.objects.create(name=person.name, title=person.title, time_zone=person.zone, user=user)
    address = f"{person.name.lower().replace(' ', '.')}@{company.DOMAIN}"
    mail = directory.add_method(contact, kind=MethodKind.EMAIL, address=address, by=by, at=at, reason=REASON)
    directory.mark_verified(mail, by=by, at=at, reason=REASON)
    directory.add_method(contact, kind=MethodKind.PHONE, address=person.phone, by=by, at=at, reason=REASON)
    return contact


def _account(person: company.Person, *, by: By, at: datetime, password: str) -> User:
    first, _, last = person.name.partition(" ")
    user: User = User.objects.create(
        username=person.login,
        first_name=first,
        last_name=last,
        email=f"{person.login}@{company.DOMAIN}",
        password=password,
        time_zone=person.zone,
        is_staff=person.login != "stakeholder",
    )
    accounts.grant(user, person.login, by=by, at=at, reason=REASON)
    return user


def _teams(people: dict[str, Contact]) -> None:
    for team in Team.objects.all():
        team.members.set([people[person.key] for person in company.PEOPLE if team.slug in person.teams])


def _system(product: company.Product, people: dict[str, Contact], now: datetime) -> System:
    system = System.objects.create(
        slug=product.slug,
        name=product.name,
        description=product.description,
        version=product.version,
        last_updated=(now - timedelta(days=product.updated_days_ago)).date(),
        owner=Team.objects.get(slug=product.owner),
        dashboard_url=f"https://dashboards.{company.DOMAIN}/{product.slug}",
    )
    RecoveryObjective.objects.create(system=system, rto_minutes=product.rto_minutes, rpo_minutes=product.rpo_minutes)
    roles = (EmergencyRole.PRIMARY_OWNER, EmergencyRole.OPERATIONS_LEAD, EmergencyRole.SECURITY_LEAD)
    for role, (contact, backup) in zip(roles, product.people, strict=True):
        EmergencyContact.objects.create(system=system, role=role, contact=people[contact], backup=people[backup])
    return system


def _policies(people: dict[str, Contact], systems: dict[str, System]) -> None:
    """Add the company's own policies; those that every portal begins with get the company's further steps."""
    for name, slugs, steps in company.POLICIES:
        policy = EscalationPolicy.objects.filter(name=name).first() or EscalationPolicy.objects.create(name=name)
        policy.systems.set([systems[slug] for slug in slugs])
        taken = policy.steps.count()
        for position, (delay, targets) in enumerate(steps, start=taken + 1):
            step = EscalationStep.objects.create(policy=policy, position=position, delay_seconds=delay)
            for target in targets:
                _target(step, target, people)


def _target(step: EscalationStep, words: str, people: dict[str, Contact]) -> None:
    kind, _, value = words.partition(":")
    EscalationTarget.objects.create(
        step=step,
        kind=kind,
        contact=people[value] if kind == "person" else None,
        team=Team.objects.get(slug=value) if kind == "team" else None,
        role=value if kind == "role" else "",
        channel=Channel.objects.get(name=value) if kind == "channel" else None,
    )


def _mappings(systems: dict[str, System]) -> None:
    for position, (label, value, slug) in enumerate(company.MAPPINGS, start=1):
        IntakeMapping.objects.create(position=position * 10, label=label, value=value, system=systems[slug])
