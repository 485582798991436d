"""What goes into a packet: the rows of a period as far as one reader may see them, and the chain that proves them."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.db import connection

from incidents.models import Incident
from portal.assurance.exporting.policy import Refused
from portal.assurance.packets.asking import Asked, days, moment
from portal.assurance.packets.scope import span
from portal.audit import anchors, guards, sealing
from portal.audit.models import TrailRow
from portal.audit.seals import Seal
from portal.directory.models import Team
from portal.lib import clock
from portal.lib.zones import zone_or_utc
from tests.factories.accounts import make_superuser
from tests.factories.exports import make_auditor
from tests.factories.incidents import make_incident
from tests.factories.packets import files_of, make_packet, packet_file

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def facts_of(export):
    return json.loads(files_of(packet_file(export))["packet.json"])


def chain_of(export):
    return [json.loads(line) for line in files_of(packet_file(export))["chain.jsonl"].splitlines()]


def population_of(export):
    text = files_of(packet_file(export))["population.csv"].decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


# The population.


def test_every_row_of_the_period_is_numbered_in_the_order_of_its_seal(check):
    make_incident(at=clock.now())
    export = make_packet()
    numbered = [row for row in chain_of(export) if "number" in row]
    assert [row["number"] for row in numbered] == list(range(1, export.rows + 1))
    assert {row["row"] for row in numbered} == set(
        TrailRow.objects.filter(pk__lte=numbered[-1]["row"]).values_list("pk", flat=True)
    )
    assert check(packet_file(export))[0] == 0


def test_rows_outside_the_period_are_laid_open_and_not_counted(check):
    make_incident(at=clock.now() - timedelta(days=9))
    export = make_packet()
    others = [row for row in chain_of(export) if row.get("source") == "audit.trailrow" and "number" not in row]
    assert others
    assert check(packet_file(export))[0] == 0


def test_only_privileged_records_when_asked_for(check):
    make_incident()
    export = make_packet(privileged=True)
    assert 0 < export.rows < TrailRow.objects.count()
    assert set(TrailRow.objects.filter(pk__in=[row["row"] for row in population_of(export)]).values_list("privileged"))
    assert facts_of(export)["conditions"] == {"privileged": "true"}
    assert check(packet_file(export))[0] == 0


def test_a_packet_of_nothing_is_refused():
    now = clock.now()
    export = make_packet(starts=now - timedelta(days=900), ends=now - timedelta(days=800))
    assert (export.state, export.error[:7]) == ("failed", "Nothing")


def test_a_sample_larger_than_the_population_holds_all_of_it(check):
    start = clock.now()
    make_incident(at=start)
    export = make_packet(starts=start, size=500)
    assert facts_of(export)["sample"]["count"] == export.rows
    assert check(packet_file(export))[0] == 0


# What the reader may not see.


def test_what_is_hidden_from_the_reader_is_a_bare_link(monkeypatch, check):
    start = clock.now()
    shown, hidden = (make_incident(title=title, at=clock.now()) for title in ("Seen", "Never seen"))
    monkeypatch.setattr(Incident, "hidden_from", classmethod(lambda model, user: [hidden.pk]), raising=False)
    export = make_packet(starts=start, size=500)
    files = files_of(packet_file(export))
    everything = b"".join(files.values())
    assert b"Seen" in everything
    assert b"Never seen" not in everything
    assert shown.reference.encode() in everything
    assert hidden.reference.encode() not in everything
    withheld = facts_of(export)["chain"]["withheld"]
    assert withheld == sum(row.keys() == {"position", "link"} for row in chain_of(export)) > 0
    code, words = check(packet_file(export))
    assert code == 0
    assert f"What stands at the {withheld} positions of which only the link is told" in words


def test_two_readers_get_what_each_may_see(monkeypatch):
    hidden = make_incident(at=clock.now())
    auditor, superuser = make_auditor(), make_superuser()
    hide = classmethod(lambda model, user: None if user.is_superuser else [hidden.pk])
    monkeypatch.setattr(Incident, "hidden_from", hide, raising=False)
    asked = Asked(clock.now() - timedelta(days=1), clock.now() + timedelta(days=1), 5, "1")
    both = [make_packet(by=reader, starts=asked.starts, ends=asked.ends) for reader in (auditor, superuser)]
    assert facts_of(both[0])["chain"]["withheld"] > 0
    assert facts_of(both[1])["chain"]["withheld"] == 0


# The chain around it.


def test_the_chain_is_told_from_an_anchor_that_was_signed_before_the_period(check):
    make_incident()
    start = clock.now()
    sealing.seal(at=start)
    before = anchors.anchor(at=start)
    make_incident()
    export = make_packet(starts=start, ends=start + timedelta(days=1))
    facts = facts_of(export)
    assert facts["chain"]["before"]["position"] == before.position
    assert chain_of(export)[0]["position"] == before.position + 1
    code, words = check(packet_file(export))
    assert code == 0
    assert "stands before the first anchor" not in words


def test_an_anchor_that_stands_behind_a_period_that_is_over_is_used_again(check):
    make_incident(at=clock.now())
    now = clock.now()
    sealing.seal(at=now)
    after = anchors.anchor(at=now)
    export = make_packet(starts=now - timedelta(days=1), ends=now, at=now + 5 * SECOND)
    assert facts_of(export)["chain"]["after"]["position"] == after.position
    assert "was not over" not in check(packet_file(export))[1]


def test_what_is_not_sealed_yet_is_sealed_first():
    make_incident()
    assert not Seal.objects.exists()
    make_packet()
    assert Seal.objects.exists()


def test_a_row_that_was_altered_since_it_was_sealed_stops_the_packet():
    make_incident()
    sealing.seal(at=clock.now())
    row = TrailRow.objects.filter(model="incidents.incident").first()
    with guards.lifted("default"), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_trail SET reason = 'Another' WHERE id = %s", [row.pk])
    export = make_packet()
    assert export.state == "failed"
    assert f"(audit.trailrow {row.pk}) is not as it was sealed" in export.error


def test_too_much_is_refused(monkeypatch):
    monkeypatch.setattr("portal.assurance.packets.scope.MOST_POSITIONS", 3)
    assert "Choose a shorter period" in make_packet().error


def test_while_another_sealer_is_at_work_it_waits(monkeypatch):
    monkeypatch.setattr(sealing, "seal", lambda at: 0)
    export = make_packet()
    assert (export.state, export.attempts) == ("waiting", 0)


# What is asked for.


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"size": 0}, "between 1 and 500"),
        ({"size": 501}, "between 1 and 500"),
        ({"seed": ""}, "Give a seed"),
        ({"seed": "x" * 81}, "Give a seed"),
        ({"seed": "line\nbreak"}, "Give a seed"),
        ({"seed": "\u00e4"}, "Give a seed"),
        ({"ends": clock.now() - timedelta(days=3)}, "must end after it begins"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(change, told):
    given = {"starts": clock.now() - timedelta(days=1), "ends": clock.now(), "size": 5, "seed": "1", **change}
    with pytest.raises(Refused, match=told):
        Asked(**given)


def test_what_an_export_keeps_reads_back():
    asked = Asked(clock.now() - timedelta(days=1), clock.now(), 5, "seed 1", privileged=True)
    assert Asked.of(asked.parameters()) == asked
    for broken in (
        {},
        {"from": "x"},
        asked.parameters() | {"from": "2026-11-01"},
        asked.parameters() | {"sample": "x"},
    ):
        with pytest.raises(Refused):
            Asked.of(broken)


def test_days_are_whole_in_the_readers_zone():
    first = moment("2026-03-29").date()
    starts, ends = days(first, first, zone_or_utc("Europe/London"))
    assert ends.astimezone(starts.tzinfo) - starts == timedelta(days=1)
    assert (ends - moment("2026-03-29")).total_seconds() == 23 * 3600  # the clocks went forward


def test_moments_of_a_command_line_are_in_utc():
    assert moment("2026-11-30").isoformat() == "2026-11-30T00:00:00+00:00"
    assert moment("2026-11-30", end=True).isoformat() == "2026-12-01T00:00:00+00:00"
    assert moment("2026-11-30T14:00+02:00", end=True).isoformat() == "2026-11-30T12:00:00+00:00"
    with pytest.raises(Refused, match="is no day or moment"):
        moment("yesterday")


def test_names_that_no_font_holds_do_not_stop_the_pdf():
    start = clock.now()
    make_incident(title="\u591c\u0001 \U0001f600 " + "y" * 150, description="x" * 3000, at=start)
    Team.objects.create(slug="rtl", name="\u05e9\u05dc\u05d5\u05dd #let x = [\\n]")
    assert files_of(packet_file(make_packet(starts=start, size=500)))["packet.pdf"].startswith(b"%PDF")


def test_the_span_needs_no_more_than_a_few_queries(django_assert_max_num_queries):
    make_incident()
    sealing.seal(at=clock.now())
    asked = Asked(clock.now() - timedelta(days=1), clock.now() + timedelta(days=1), 5, "1")
    user = make_superuser()
    sealing.seal(at=clock.now())
    with django_assert_max_num_queries(30):
        span(user, asked, at=clock.now())
