"""What goes over the wire to a telephone: short, and no secret where it would be read out."""

import pytest

from portal.notify import services
from portal.notify.parcels import parcel_of
from tests.factories.directory import NOON, make_contact, make_method
from tests.factories.notify import make_message

pytestmark = pytest.mark.django_db


def test_a_text_message_says_the_title_and_the_link_and_a_call_only_the_title():
    common = {"body": "Long words.\n\n{action_link}", "action_path": "/a/", "url_path": "/incidents/INC-1/"}
    texted = parcel_of([make_message(lane="sms", address="+44 20 7946 0018", **common)], at=NOON)
    called = parcel_of([make_message(lane="voice", address="+44 20 7946 0018", **common)], at=NOON)
    assert texted.text.startswith("http")
    assert "/a/" in texted.text
    assert "Long words" not in texted.text
    assert called.text == "Sign in to the portal to answer."


@pytest.mark.parametrize(("kind", "gap"), [("sms", ""), ("voice", " ")])
def test_a_code_is_read_out_figure_by_figure(kind, gap):
    method = make_method(make_contact(reachable=False), kind=kind, verified=False)
    services.start_verification(method, by="system: tests", at=NOON)
    text = parcel_of([method.messages.get()], at=NOON).text
    code = text.removeprefix("Your code is ").partition(".")[0]
    assert len(code.replace(" ", "")) == 6
    assert (" " in code) is bool(gap)
    assert "asked for it" not in text
