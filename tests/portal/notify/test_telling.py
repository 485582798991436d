"""What somebody wrote for a reader reaches them as it was written; everything else of a restricted record is veiled."""

import pytest

from incidents import messages, services
from incidents.communications import sending
from portal.notify import services as notify
from portal.notify.models import Message
from portal.notify.telling import SENTENCE, as_read, as_sent
from tests.factories.accounts import make_user
from tests.factories.communications import list_member, make_draft, set_rule
from tests.factories.directory import NOON, make_channel, make_contact
from tests.factories.incidents import make_incident
from tests.factories.notify import make_message

pytestmark = pytest.mark.django_db
INSIDE = "stakeholders"


@pytest.fixture
def incident():
    made = make_incident(severity=1, title="Xylophone was stolen")
    return services.restrict(made, by="system: tests", at=NOON, reason="It names people")


@pytest.fixture
def carla():
    """Somebody inside who is told and is no member."""
    return make_contact("Carla", user=make_user("carla", roles=["manager"]))


@pytest.fixture
def written(incident, carla):
    set_rule(INSIDE, needs_approval=False)
    list_member(INSIDE, carla)
    list_member(INSIDE, make_channel("Company"))
    draft = make_draft(incident, audience=INSIDE, subject="Change your password", text="Marzipan for all.")
    sending.send(draft, by="system: tests", at=NOON)
    return Message.objects.filter(kind="communication")


def test_a_message_to_an_audience_goes_out_as_it_was_written(written):
    assert written.exclude(contact=None).exists()
    assert written.filter(contact=None).exists()
    for message in written:
        sent = as_sent(message)
        assert (sent.title, sent.body) == ("Change your password", "Marzipan for all.\n")
        assert sent.url_path == ""


def test_it_stands_so_in_the_inbox_too(written, carla):
    read = as_read(list(notify.inbox_of(carla.user).filter(kind="communication")), carla.user)
    assert [message.body for message in read] == ["Marzipan for all.\n"]
    assert read[0].url_path == ""


def test_a_member_finds_the_way_to_the_incident(incident, written, carla):
    services.add_responder(incident, contact=carla, by="system: tests", at=NOON)
    assert as_sent(written.filter(contact=carla).first()).url_path == incident.get_absolute_url()


def test_what_the_portal_says_by_itself_is_veiled(incident, carla):
    note = make_message(kind="incident_followed", title="Xylophone", body="Quagmire", about=messages.about(incident))
    note.contact = carla
    assert as_sent(note).body == SENTENCE
    assert as_read([note], carla.user)[0].body == SENTENCE
