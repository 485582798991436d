"""What the directory accepts, each refusal a sentence: addresses, countries, working days."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import parse_qs, urlsplit

import holidays
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from portal.directory.enums import BY_TWILIO, MethodKind

EMAIL_LIMIT = 254  # RFC 5321: the longest address that mail servers must take
PHONE = re.compile(r"\+[1-9](?:[ ().-]*[0-9]){6,14}")  # E.164: a country code, 7 to 15 digits in all
NTFY = re.compile(r"ntfys?://(?:[^\s/@?#]+@)?(?P<host>[a-z0-9.-]+(?::[0-9]{1,5})?)/(?P<topic>[A-Za-z0-9_-]{1,64})")
SLACK = re.compile(
    r"(?:https://hooks\.slack\.com/services/[A-Z0-9]+/[A-Z0-9]+/[A-Za-z0-9]+"
    r"|slack://(?:[\w-]+@)?[A-Z0-9]+/[A-Z0-9]+/[A-Za-z0-9]+(?:/(?P<room>[#@]?[\w.-]+))?"
    r"|slack://xox[abp]-[A-Za-z0-9-]+(?:/(?P<bot_room>[#@]?[\w.-]+))?)/?",
)
# A Workflows webhook as it is kept: host, workflow, signature. Teams hands it out as a long address, read below.
TEAMS = re.compile(
    r"workflows://(?P<host>[a-z0-9.-]+(?::[0-9]{1,5})?)/[A-Za-z0-9_-]{8,100}/(?P<signature>[A-Za-z0-9_-]{8,100})"
    r"(?:\?pa=yes(?:&route=[0-9]{1,9})?)?"
)
TEAMS_WEBHOOK = re.compile(
    r"(?P<direct>/powerautomate/automations/direct(?:/cu/(?P<route>[0-9]{1,9}))?)?"
    r"/workflows/(?P<workflow>[A-Za-z0-9_-]+)/triggers/manual/paths/invoke/?"
)
PUSHOVER = re.compile(r"pover://(?P<user>[A-Za-z0-9]{30})@[A-Za-z0-9]{30}(?:/(?P<device>[A-Za-z0-9_-]{1,25}))?/?")
_NUMBER = "Write the telephone number with its country code, as in +44 20 7946 0018."
ADDRESS_RULES = {
    MethodKind.PHONE: (PHONE, _NUMBER),
    MethodKind.SMS: (PHONE, _NUMBER),
    MethodKind.VOICE: (PHONE, _NUMBER),
    MethodKind.TEAMS: (
        TEAMS,
        "Paste the address of a Teams workflow that posts webhook alerts; it begins with https:// and ends with sig=.",
    ),
    MethodKind.PUSHOVER: (
        PUSHOVER,
        "Write your user key and the token of the application, 30 characters each, as in pover://user-key@token.",
    ),
    MethodKind.NTFY: (NTFY, "Write the ntfy topic with its server, as in ntfys://ntfy.sh/my-topic."),
    MethodKind.SLACK: (
        SLACK,
        "Paste the address of a Slack incoming webhook; it begins with https://hooks.slack.com/services/.",
    ),
}


def normal_address(kind: str, address: str) -> str:
    """Return the address as it is kept: without stray spaces, the domain of a mail address in small letters."""
    address = " ".join(address.split())
    if kind == MethodKind.EMAIL and "@" in address:
        name, _, domain = address.rpartition("@")
        return f"{name}@{domain.lower()}"
    if kind == MethodKind.NTFY:
        return re.sub(r"^http(s?)://", r"ntfy\1://", address, flags=re.IGNORECASE)
    return _workflow(address) if kind == MethodKind.TEAMS else address


def _workflow(address: str) -> str:
    """Return a webhook as Teams hands it out in the form that is kept; whatever is none comes back as it is."""
    try:
        parts = urlsplit(address)
        host, signatures = parts.netloc.lower().removesuffix(":443"), parse_qs(parts.query).get("sig", [])
    except ValueError:
        return address
    match = TEAMS_WEBHOOK.fullmatch(parts.path)
    if parts.scheme != "https" or match is None or len(signatures) != 1:
        return address
    route = f"&route={match['route']}" if match["route"] else ""
    direct = f"?pa=yes{route}" if match["direct"] else ""
    return f"workflows://{host}/{match['workflow']}/{signatures[0]}{direct}"


def check_address(kind: str, address: str) -> None:
    """Raise ValidationError unless `address` has the form of its kind. It says nothing about who reads it."""
    if kind == MethodKind.EMAIL:
        _check_email(address)
    elif kind in ADDRESS_RULES:
        form, sentence = ADDRESS_RULES[MethodKind(kind)]
        if not form.fullmatch(address):
            raise ValidationError({"address": ValidationError(sentence, code="address")})
    if kind in BY_TWILIO and not settings.TWILIO_URL:
        sentence = "This portal has no Twilio account to send with. Ask whoever runs it to set TWILIO_URL."
        raise ValidationError({"kind": ValidationError(sentence, code="no_account")})


def _check_email(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError:
        sentence = "Write a complete e-mail address, as in amara@example.org."
        raise ValidationError({"address": ValidationError(sentence, code="address")}) from None
    if len(address) > EMAIL_LIMIT:
        sentence = f"No mail server takes an address of more than {EMAIL_LIMIT} characters. Give a shorter one."
        raise ValidationError({"address": ValidationError(sentence, code="address")})


def shown_address(kind: str, address: str) -> str:
    """Return the address as pages show it. Whoever knows the address of a chat service in full can write to it."""
    if kind == MethodKind.NTFY and (match := NTFY.fullmatch(address)):
        return f"{match['topic']} on {match['host']}"
    if kind == MethodKind.SLACK:
        match = SLACK.fullmatch(address)
        room = (match["room"] or match["bot_room"]) if match else None
        return room or f"webhook …{address[-4:]}"
    if kind == MethodKind.TEAMS:
        match = TEAMS.fullmatch(address)
        return f"workflow …{match['signature'][-4:]}" if match else "workflow"
    if kind == MethodKind.PUSHOVER:
        match = PUSHOVER.fullmatch(address)
        return (match["device"] or f"key …{match['user'][-4:]}") if match else "key"
    return address


@cache
def holiday_countries() -> dict[str, list[str]]:
    """Return the subdivisions by country code (ISO 3166) whose public holidays the library knows."""
    return holidays.list_supported_countries(include_aliases=False)


def check_country(country: str, subdivision: str) -> None:
    """Raise ValidationError unless the library knows the public holidays of this country and part of it."""
    if not country:
        if subdivision:
            raise ValidationError({"country": "Give the country too, or leave its part empty."})
        return
    countries = holiday_countries()
    if country not in countries:
        raise ValidationError(
            {"country": f"The holidays of “{country}” are not known. Give a code of ISO 3166 such as GB or DE."}
        )
    if subdivision and subdivision not in countries[country]:
        known = ", ".join(countries[country][:12]) or "none"
        raise ValidationError({"subdivision": f"{country} has no part “{subdivision}”. Known parts: {known}."})


def normal_weekdays(text: str) -> str:
    """Return working days in order, as in "0,1,2,3,4". Raises ValidationError when they are no days of a week."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or any(word not in set("0123456") for word in words):
        raise ValidationError(
            {"weekdays": "List the working days as numbers from 0 (Monday) to 6 (Sunday), as in 0,1,2,3,4."}
        )
    return ",".join(sorted(set(words)))
