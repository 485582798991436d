"""The maintenance windows of the demo company: one goes on, one overruns, one was kept, one comes round every Sunday."""

from __future__ import annotations

from datetime import time, timedelta

from maintenance import services
from portal.audit.actor import acting
from portal.dashboard.demo.playing import ORIGIN, Play
from portal.directory.models import System

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def play(play: Play) -> None:
    """Plan and work the windows, with the engine in between.

    Only accounts do it: without the demo's logins there is nobody.
    """
    amara, kwame = play.people["amara"], play.people["kwame"]
    if not kwame.user_id:
        return
    now = play.now

    def systems(*slugs: str) -> list[System]:
        return list(System.objects.filter(slug__in=slugs))

    with acting(by=kwame, at=now - 27 * HOUR, origin=ORIGIN):
        kept = services.plan_window(
            "Move the nightly reports to the new cluster", systems("reporting-warehouse"), by=kwame, at=now - 27 * HOUR,
            starts_at=now - 26 * HOUR, ends_at=now - 24 * HOUR, note="Reports of the night are run twice and compared.",
        )  # fmt: skip
    play.sweep_until(now - 25 * HOUR)
    with acting(by=kwame, at=now - 25 * HOUR, origin=ORIGIN):
        services.verify(kept, by=kwame, at=now - 25 * HOUR)
        services.complete_window(kept, by=kwame, at=now - 25 * HOUR + 20 * MINUTE)
    at = now - 5 * HOUR
    with acting(by=kwame, at=at, origin=ORIGIN):
        services.start_series(
            {
                "title": "Patch the portal's hosts", "frequency": "weekly", "anchor": (at + timedelta(days=1)).date(),
                "start_time": time(2), "minutes": 120, "time_zone": "Europe/London",
                "note": "One host after the other; the balancer takes each out first.",
            },
            systems("customer-portal", "knowledge-base"), by=kwame, at=at,
        )  # fmt: skip
    with acting(by=amara, at=now - 100 * MINUTE, origin=ORIGIN):
        services.open_now(
            "Rebuild the index of the billing bridge", systems("billing-bridge"), ends_at=now - 25 * MINUTE, by=amara,
            at=now - 100 * MINUTE, reason="Invoices of yesterday are found twice.",
        )  # fmt: skip
    play.sweep_until(now - 74 * MINUTE)
    with acting(by=amara, at=now - 74 * MINUTE, origin=ORIGIN):
        services.open_now(
            "Put attachments behind the new cache", systems("attachment-store"), ends_at=now + 46 * MINUTE, by=amara,
            at=now - 74 * MINUTE, reason="The slot of the change.", note="Downloads may be slow while the cache fills.",
        )  # fmt: skip
    play.sweep_until(now)
    play.deliver(until=now)
