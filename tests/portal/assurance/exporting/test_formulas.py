"""No cell of any export starts a formula, whatever people or attackers wrote into the record that it is made of."""

import csv
import io
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.assurance.exporting.registry import SOURCES
from portal.assurance.exporting.storing import path_of
from portal.audit import trail
from portal.audit.enums import Action
from portal.lib import clock
from tests.factories.directory import make_contact, make_system
from tests.factories.exports import content, make_auditor, make_export
from tests.factories.incidents import make_incident
from tests.factories.packets import files_of, make_packet, packet_file
from tests.portal.lib.test_cells import BLANKS, DANGEROUS, starts_a_formula
from tests.portal.lib.test_writers import sheets

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
# What a database takes: PostgreSQL holds no zero byte.
KEPT = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
NASTY = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", *(BLANKS + "'\";,").replace("\x00", "")]),
        st.sampled_from(DANGEROUS),
        st.text(KEPT, max_size=12),
    ),
)
often = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=2)
WORDS = st.lists(NASTY, min_size=20, max_size=20)
NUMBERS = count(1)
TABLES = {
    "trail": {},
    "incidents": {"query": "view=all"},
    "register": {"query": "model=directory.system&at=2099-01-01T00:00Z"},
}


def live(words):
    """Write the words into all that people write: names, titles, descriptions, reasons, events."""
    for first, second, third, fourth in zip(*[iter(words)] * 4, strict=True):
        ada, once = make_contact(first), next(NUMBERS)
        system = make_system(f"s{once}", name=f"{second}{once}")
        incident = make_incident(title=f"{third}{once}", description=fourth, systems=[system], by=ada, at=clock.now())
        trail.record(Action.READ, event=first, subject=incident, reason=second)


def cells(export):
    """Every cell of a table, read back as a program reads it."""
    if export.format == "xlsx":
        return [text for sheet in sheets(path_of(export)) for line in sheet for kind, text in line if kind == "text"]
    text = content(export).decode("utf-8-sig")
    return [cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line]


def test_every_source_is_held_to_it():
    assert set(SOURCES) == {*TABLES, "packet"}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("source", TABLES)
@often
@given(WORDS)
def test_no_cell_of_a_table_starts_a_formula(source, kind, words):
    live(words)
    ada = make_auditor(first_name=words[0][:100], last_name=words[1][:100])
    export = make_export(source, by=ada, format=kind, reason=f"={words[2]}", at=clock.now(), **TABLES[source])
    assert export.state == "done", export.error
    found = cells(export)
    assert len(found) > 10
    assert [cell for cell in found if starts_a_formula(cell)] == []


@often
@given(WORDS)
def test_no_cell_of_a_population_starts_a_formula(words):
    live(words)
    files = files_of(packet_file(make_packet(size=1)))
    table = csv.reader(io.StringIO(files["population.csv"].decode("utf-8-sig"), newline=""))
    assert [cell for line in table for cell in line if starts_a_formula(cell)] == []
