"""What is saved while reconciliation runs is no finding, and many hands on one record leave one truth."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from portal.audit import reconciling
from portal.audit.actor import acting
from portal.directory.models import Calendar, Contact, Team
from portal.lib import clock
from tests.factories.directory import make_contact, make_team

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
HANDS, ROUNDS = 3, 12


def worker(act):
    """Return the act on a connection of its own."""

    def run():
        try:
            with acting(by="system: race", reason="A race", origin="task"):
                act()
        finally:
            connections.close_all()

    return run


def test_a_portal_that_is_used_while_it_is_reconciled_has_no_findings():
    team, people = make_team(), [make_contact(f"Person {number}") for number in range(HANDS)]
    calendar = Calendar.objects.create(name="Works")

    def hand(number):
        stale = Calendar.objects.get(pk=calendar.pk)  # each a copy of its own: no two requests share an instance

        def act():
            mine = people[number]
            for turn in range(ROUNDS):
                Team.objects.get(pk=team.pk).members.add(mine)
                row = Team.objects.get(pk=team.pk)
                row.description = f"{number} {turn}"
                row.save()
                mine.teams.remove(team)
                row = Calendar.objects.get(pk=calendar.pk) if turn % 2 else stale
                row.country = ("GB", "SE", "JP")[number]
                row.save(update_fields=["country"])
                Contact.objects.create(name=f"New {number} {turn}")

        return act

    with ThreadPoolExecutor(HANDS) as pool:
        futures = [pool.submit(worker(hand(number))) for number in range(HANDS)]
        runs = 0
        while not all(future.done() for future in futures) or not runs:
            findings = reconcile()
            assert findings == [], [found.sentence for found in findings]
            runs += 1
        for future in futures:
            future.result(60)
    assert reconcile() == []
    assert Contact.objects.filter(name__startswith="New").count() == HANDS * ROUNDS
    assert not team.members.exists()


def reconcile():
    row = reconciling.begin(by="test", at=clock.now())
    reconciling.run(row, now=clock.now, settle=lambda row, at: None, tell=lambda row: None)
    return reconciling.last_run().findings


def test_two_hands_that_fill_one_team_at_once_leave_a_history_that_holds_both():
    team, people = make_team(), [make_contact(f"Person {number}") for number in range(HANDS)]
    for _ in range(ROUNDS):
        start = threading.Barrier(HANDS)

        def hand(number, start=start):
            def act():
                mine = Team.objects.get(pk=team.pk)
                start.wait(30)
                mine.members.add(people[number])

            return act

        with ThreadPoolExecutor(HANDS) as pool:
            for future in [pool.submit(worker(hand(number))) for number in range(HANDS)]:
                future.result(60)
        assert set(team.history.first().members.values_list("contact_id", flat=True)) == {p.pk for p in people}
        team.members.clear()
    assert reconcile() == []
