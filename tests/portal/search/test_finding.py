"""What words lead to: the same on both databases, for one reader, the best first."""

import html

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents import services as incidents
from incidents.selectors.runbooks import runbooks_for
from portal.lib import clock
from portal.runbooks import services
from portal.runbooks.models import Passage
from portal.runbooks.services import lines
from portal.search import finding, registry
from portal.search.words import terms_of
from tests.factories.accounts import make_superuser, make_user
from tests.factories.checklists import make_checklist
from tests.factories.directory import NOON, make_contact, make_severity, make_system, make_team
from tests.factories.incidents import make_incident
from tests.factories.runbooks import TEXT, make_published, make_runbook, publish, writer

pytestmark = pytest.mark.django_db
GARBAGE = [
    "", " ", "*", '"', "'", "''", '"*"', "a:*", "(", ")", "NOT", "OR AND", "NEAR(a b)", "-x", "^x", "x^", "{x}",
    "col:x", "\\", "%", "_", "\x00", "🔥", "🔥 mail", "mail 🔥", "<script>", "x" * 10_000, "x " * 5_000, "& | !", "!a",
    "a <-> b", "ﬁ", "İ", "ß", "²", "①", "中文", "e\u0301", "\u200b", "\ufeff", "1e5 0x1f 12abc", "mail & intake:*",
]  # fmt: skip


@pytest.fixture
def reader():
    return make_user("reader", roles=["responder"])


def read(text):
    return html.unescape(text.replace("<mark>", "").replace("</mark>", ""))


def names(found):
    return [read(hit.name) for group in found.groups for hit in group.hits]


class TestEverything:
    @pytest.mark.parametrize(
        ("words", "label", "name"),
        [
            ("web processes", "Step", "Start the web processes"),
            ("relay log", "Troubleshooting", "Look at the relay's log"),
            ("mails sent", "Troubleshooting", "Issue: Mails are not sent"),
            ("signing key", "Procedure", "Rotate the signing key"),
            ("desk toml", "Configuration file", "desk.toml"),
            ("desk_url", "Variable", "DESK_URL"),
            ("ticket desk", "Runbook", "Ticket desk"),
            ("systemctl", "Step", "Start the web processes"),
            ("desk is run", "Section", "Purpose"),
        ],
    )
    def test_a_runbook_is_found_by_each_of_its_parts(self, reader, words, label, name):
        make_published()
        hits = [hit for group in finding.find(words, reader).groups for hit in group.hits]
        assert (label, name) in {(hit.label, read(hit.name)) for hit in hits}

    def test_so_are_incidents_systems_people_teams_and_checklists(self, reader):
        make_incident(title="Zebra crossing", at=clock.now())
        make_system(name="Zebra Store")
        make_contact("Zebra Zimmer")
        make_team("zebra", name="Zebra keepers")
        make_checklist("Zebra hygiene")
        found = finding.find("zebra", reader)
        assert {group.name for group in found.groups} == {"Incidents", "Systems", "People and teams", "Checklists"}
        assert sum(group.found for group in found.groups) == 5

    def test_commands_and_logs_are_found_by_their_pieces(self, reader):
        make_published(
            text=f"{TEXT}\n## Useful Commands\n\n```bash\nkubectl rollout restart deploy/desk\n```\n\n"
            "## Log Locations\n\n| Log | Location |\n|---|---|\n| Access | /var/log/nginx/access.log |\n"
        )
        assert names(finding.find("rollout deploy", reader))[0] == "kubectl rollout restart deploy/desk"
        assert "nginx" in names(finding.find("nginx", reader))[0]

    def test_a_step_says_what_it_stands_under_and_leads_there(self, reader):
        runbook = make_published()
        hit = finding.find("web processes", reader).best(1)[0]
        assert hit.context.startswith("Ticket desk")
        assert "Startup Procedure" in hit.context
        assert hit.url.startswith(f"{runbook.get_absolute_url()}#s")

    def test_the_matching_line_is_marked(self, reader):
        make_incident(title="Trouble", description="First line\nThe Zebra stands <still>\nLast", at=clock.now())
        hit = finding.find("zebra", reader).best(1)[0]
        assert hit.line == "The <mark>Zebra</mark> stands &lt;still&gt;"

    @pytest.mark.parametrize("words", ["muller", "Müller", "MÜLLER", "mu\u0308ller"])
    def test_accents_and_case_make_no_difference(self, reader, words):
        make_contact("Jörg Müller")
        make_contact("Jorg Muller")
        assert sorted(names(finding.find(words, reader))) == ["Jorg Muller", "Jörg Müller"]


class TestOrder:
    def test_a_word_in_the_name_comes_before_one_in_the_text(self, reader):
        make_incident(title="Zebra", at=clock.now())
        make_incident(title="Other", description="zebra", at=clock.now())
        assert names(finding.find("zebra", reader)) == ["Zebra", "Other"]

    def test_a_whole_word_comes_before_one_that_begins_so(self, reader):
        make_incident(title="Disk", at=clock.now())
        make_incident(title="Diskette", at=clock.now())
        assert names(finding.find("disk", reader)) == ["Disk", "Diskette"]

    def test_a_name_is_not_lost_behind_a_hundred_newer_texts(self, reader):
        make_incident(title="Zebra", severity=4, at=clock.now())
        for number in range(finding.WEIGHED):
            make_incident(title=f"Number {number}", description="zebra", severity=4, at=clock.now())
        found = finding.find("zebra", reader).groups[0]
        assert (found.hits[0].name, found.found, found.more) == ("<mark>Zebra</mark>", finding.WEIGHED, True)

    def test_what_is_about_the_systems_asked_for_comes_first(self, reader):
        mine, other = make_system(name="Alpha"), make_system(name="Beta")
        make_published("Of alpha", system=mine)
        make_published("Of beta", system=other)
        hits = finding.find("web processes", reader, systems=[mine.pk]).groups[0].hits
        assert [hit.of_system for hit in hits] == [True, False]
        assert hits[0].context.startswith("Of alpha")

    def test_where_nothing_has_all_the_words_some_of_them_are_enough_and_that_is_said(self, reader):
        make_published()
        found = finding.find("relay giraffe", reader)
        assert found.partly
        assert "Restart the relay" in names(found)
        assert not finding.find("restart relay", reader).partly


class TestInForce:
    def test_a_draft_is_not_found(self, reader):
        make_runbook(text=TEXT.replace("Start the queue", "Feed the zebra"))
        assert names(finding.find("zebra", reader)) == []

    def test_only_the_version_in_force_is_found(self, reader):
        runbook = make_published(text=TEXT.replace("Start the queue", "Feed the zebra"))
        assert names(finding.find("zebra", reader))[0] == "Feed the zebra"
        version = services.begin(
            runbook, text=TEXT.replace("Start the queue", "Feed the giraffe"), by=writer(), at=NOON
        )
        publish(version)
        assert names(finding.find("zebra", reader)) == []
        assert names(finding.find("giraffe", reader))[0] == "Feed the giraffe"

    def test_what_left_is_not_found(self, reader):
        make_contact("Zebra Zimmer", active=False)
        make_system(name="Zebra Store", active=False)
        assert names(finding.find("zebra", reader)) == []


class TestHeldBack:
    def test_how_to_shut_down_is_not_found_while_a_security_incident_holds_it(self, reader):
        text = TEXT.replace(
            "### Rotate", "### Shutdown Procedure\n\n1. Stop the zebra\n\n```bash\nzebractl halt\n```\n\n### Rotate"
        )
        desk, other = make_system("desk"), make_system("other")
        make_published(system=desk, text=text)
        make_published("Other desk", system=other, text=text)
        before = names(finding.find("zebra", reader))
        make_incident(severity=3, type="security", systems=[desk])
        after = finding.find("zebra", reader)
        assert len(names(after)) * 2 == len(before)
        assert {hit.context.split(" \u203a")[0] for group in after.groups for hit in group.hits} == {"Other desk"}
        assert "Start the web processes" in names(finding.find("web processes", reader))

    def test_nor_what_is_said_of_it_in_prose_and_the_commands_there(self, reader):
        told = (
            "### How to stop the desk\n\nCall the zebra first.\n\n#### Disks\n\n"
            "```bash\nzebractl halt\n```\n\n### Rotate"
        )
        desk = make_system("desk")
        make_published(system=desk, text=TEXT.replace("### Rotate", told))
        assert len(names(finding.find("zebra", reader))) == 2
        make_incident(severity=3, type="security", systems=[desk])
        assert names(finding.find("zebra", reader)) == []

    def test_what_was_published_before_prose_was_kept_is_found_after_the_next_migration(self, reader):
        make_published()
        Passage.objects.all().delete()
        assert lines.fill_passages() == 1
        assert lines.fill_passages() == 0
        assert "Purpose" in names(finding.find("desk is run", reader))


class TestForAnIncident:
    def test_entries_of_its_systems_that_share_a_word_come_first_then_others_that_share_two(self, reader):
        mine, other = make_system(name="Alpha"), make_system(name="Beta")
        make_published("Of alpha", system=mine)
        make_published("Of beta", system=other)
        incident = make_incident(title="The relay log stands", systems=[mine], at=clock.now())
        entries = runbooks_for(incident, reader).entries
        assert [hit.of_system for hit in entries] == sorted((hit.of_system for hit in entries), reverse=True)
        assert read(entries[0].name) == "Look at the relay's log"
        assert entries[0].of_system
        assert all(hit.met > 1 for hit in entries if not hit.of_system)

    def test_the_page_of_a_search_puts_its_systems_first_and_names_it(self, client, reader):
        mine = make_system(name="Alpha")
        make_published("Of alpha", system=mine)
        make_published("Of beta", system=make_system(name="Beta"))
        incident = make_incident(title="Trouble", systems=[mine], at=clock.now())
        client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
        page = client.get("/search/", {"q": "web processes", "for": incident.reference}).content.decode()
        assert incident.reference in page
        assert page.index("Of alpha") < page.index("Of beta")


class TestKept:
    def test_a_changed_text_is_found_by_its_new_words_alone(self, reader):
        system = make_system(name="Zebra Store")
        system.name = "Giraffe Store"
        system.save()
        assert names(finding.find("zebra", reader)) == []
        assert names(finding.find("giraffe", reader)) == ["Giraffe Store"]


class TestReaders:
    def test_whoever_may_see_nothing_finds_nothing(self):
        make_incident(title="Zebra", at=clock.now())
        make_system(name="Zebra Store")
        make_published()
        guest = make_user("guest")
        for words in ("zebra", "web processes", "desk"):
            assert finding.find(words, guest).groups == []

    @pytest.mark.parametrize("kind", registry.kinds(), ids=lambda kind: kind.kind)
    def test_each_kind_asks_for_the_permission_and_is_closed_without(self, kind):
        assert kind.rows(make_user("guest")).query.is_empty()
        inactive = make_superuser("gone")
        inactive.is_active = False
        assert kind.rows(inactive).query.is_empty()

    def test_a_restricted_incident_changes_nothing_for_whoever_is_no_member(self, reader):
        make_incident(title="Zebra", at=clock.now())
        before = finding.find("zebra secret", reader)
        incidents.declare(
            title="Zebra secret", description="zebra", severity=make_severity(1), systems=[], type="security",
            by="system: tests", at=clock.now(),
        )  # fmt: skip
        assert finding.find("zebra secret", reader) == before
        assert before.partly
        assert names(finding.find("zebra secret", make_user("lead", roles=["security-lead"]))) == ["Zebra secret"]


class TestGarbage:
    @pytest.mark.parametrize("words", GARBAGE, ids=range(len(GARBAGE)))
    @pytest.mark.parametrize("any_term", [False, True])
    def test_nothing_typed_breaks_it(self, reader, words, any_term):
        make_system(name="Mail Intake")
        finding.find(words, reader)
        terms = terms_of(words)
        if terms:
            finding.search(terms, reader, systems=[], any_term=any_term)


def test_a_search_asks_one_query_of_each_kind_however_much_is_found(reader, django_assert_max_num_queries):
    reader.has_perm("x")
    make_published()
    make_checklist()
    with CaptureQueriesContext(connection) as few:
        finding.find("the", reader)
    for number in range(3):
        make_published(f"Number {number}")
        make_incident(title=f"Start {number}", at=clock.now())
    with CaptureQueriesContext(connection) as many:
        finding.find("start", reader)
    assert len(many) <= max(len(few), len(registry.kinds()) + 6)


def test_words_that_stand_nowhere_cost_two_queries(reader, django_assert_num_queries):
    make_published()
    with django_assert_num_queries(2):
        assert finding.find("xylophone giraffe", reader).groups == []


def test_a_line_that_matches_stands_once(reader):
    make_team("diggers", description="Runs the hosts and the sluices.")
    ((hit,),) = [group.hits for group in finding.find("sluices", reader).groups]
    assert (read(hit.line), hit.context) == ("Runs the hosts and the sluices.", "")
