"""Names of time zones."""

from __future__ import annotations

import zoneinfo
from functools import cache
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError


@cache
def known_zones() -> frozenset[str]:
    """Return the names of the time zones that this machine knows. They change only with its software."""
    return frozenset(zoneinfo.available_timezones())


def validate_zone(name: str) -> None:
    """Raise ValidationError unless `name` is a time zone of the IANA database, spelled as there."""
    if name not in known_zones():
        raise ValidationError(
            "“%(name)s” is no time zone. Give its name as in Europe/London, Asia/Tokyo or UTC.",
            code="unknown_zone",
            params={"name": name[:64]},
        )


def zone_or_utc(name: str) -> ZoneInfo:
    """Return the zone of that name. A name that this machine does not know reads as UTC, so that clocks still run."""
    return ZoneInfo(name if name in known_zones() else "UTC")
