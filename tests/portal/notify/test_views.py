"""One's own pages: the inbox and the contact methods."""

import pytest
from django.urls import reverse

from portal.directory import services as directory
from portal.directory.enums import MethodKind
from portal.directory.models import ContactMethod
from portal.lib import clock
from portal.notify import services
from portal.notify.compose import Draft
from portal.notify.models import Message
from portal.notify.verification import make_code
from tests.factories.accounts import make_user
from tests.factories.directory import NOON, make_contact, make_method

pytestmark = pytest.mark.django_db

INBOX, METHODS = "/inbox/", "/me/contact-methods/"


@pytest.fixture
def mei(client):
    user = make_user("mei")
    client.force_login(user)
    return make_contact("Mei Tanaka", user=user, reachable=False)


def text(response):
    return " ".join(response.content.decode().split())


def tell(contact, title, **fields):
    fields = {"body": "Look at it.\nAcknowledge: {action_link}", "url_path": "/incidents/INC-000001/", **fields}
    draft = Draft(key=f"{contact.pk}:{title}", kind="test", lane="inbox", title=title, contact_id=contact.pk, **fields)
    services.queue([draft], at=NOON)
    return Message.objects.get(title=title)


@pytest.mark.parametrize("path", [INBOX, METHODS])
def test_pages_ask_for_a_sign_in(client, path):
    assert client.get(path).url.startswith("/sign-in/")


def test_an_account_without_an_entry_is_told_what_to_do(client):
    client.force_login(make_user("new"))
    for path in (INBOX, METHODS):
        assert "Your account has no entry in the directory" in text(client.get(path))


def test_the_inbox_shows_unread_messages_first(client, mei):
    old, new = tell(mei, "First alarm"), tell(mei, "Second alarm")
    services.mark_read(mei.user, [new.pk], at=NOON)
    page = text(client.get(INBOX))
    assert page.index("First alarm") < page.index("Second alarm")
    assert "1 unread" in page
    assert "/incidents/INC-000001/" in page
    assert "{action_link}" not in page
    assert old.read_at is None


def test_an_empty_inbox_says_so(client, mei):
    assert "Nothing in your inbox" in text(client.get(INBOX))


def test_a_message_is_marked_as_read_by_post(client, mei):
    message = tell(mei, "Alarm")
    assert client.get(reverse("notify:mark-read")).status_code == 405
    client.post(reverse("notify:mark-read"), {"id": [str(message.pk), "x", "9" * 30, "²"]})
    message.refresh_from_db()
    assert message.read_at is not None


def test_all_messages_are_marked_as_read_at_once(client, mei):
    tell(mei, "One")
    tell(mei, "Two")
    assert "2 messages marked as read." in text(client.post(reverse("notify:mark-read"), {"all": "1"}, follow=True))
    assert services.unread_count(mei.user) == 0


def test_nobody_reads_or_marks_the_messages_of_another(client, mei):
    message = tell(make_contact(user=make_user("jonas")), "Private")
    assert "Private" not in text(client.get(INBOX))
    client.post(reverse("notify:mark-read"), {"id": message.pk})
    message.refresh_from_db()
    assert message.read_at is None


def test_a_long_inbox_has_pages_and_a_constant_number_of_queries(client, mei, django_assert_max_num_queries):
    tell(mei, "Alarm")
    client.get(INBOX)
    with django_assert_max_num_queries(100) as few:
        client.get(INBOX)
    for number in range(40):
        tell(mei, f"Alarm {number}")
    with django_assert_max_num_queries(len(few)):
        assert "1 to 25 of 41" in text(client.get(INBOX))


def add(client, kind, address):
    return client.post(METHODS, {"kind": kind, "address": address}, follow=True)


def test_an_added_address_is_sent_a_code_and_used_after_it_was_typed(client, mei):
    assert "A code is on its way to mei@example.org" in text(add(client, "email", "mei@example.org"))
    method = mei.methods.get()
    assert Message.objects.filter(method=method, kind="verification").exists()
    assert directory.sending_methods([mei.pk]) == {}
    code = make_code(method, at=clock.now())
    spaced = f"{code[:3]} {code[3:]}"
    page = text(client.post(reverse("notify:verify-method", args=[method.pk]), {"code": spaced}, follow=True))
    assert "Messages reach you at mei@example.org from now on." in page
    assert directory.sending_methods([mei.pk]) == {mei.pk: [method]}


def test_a_wrong_code_is_refused_beside_its_field(client, mei):
    method = make_method(mei, verified=False)
    code = make_code(method, at=clock.now())
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    answer = client.post(reverse("notify:verify-method", args=[method.pk]), {"code": wrong})
    assert answer.status_code == 422
    assert "That is not the code." in text(answer)
    assert "six figures" in text(client.post(reverse("notify:verify-method", args=[method.pk]), {"code": "12"}))
    assert ContactMethod.objects.get(pk=method.pk).verified_at is None


@pytest.mark.parametrize(
    ("kind", "address", "sentence"),
    [
        ("email", "not an address", "complete e-mail address"),
        ("phone", "0800", "with its country code"),
        ("pigeon", "roof", "Choose one of the kinds."),
        ("", "", "Choose what kind of address it is."),
        ("email", f"{'x' * 300}@example.org", "under 300 characters"),
    ],
)
def test_a_bad_address_is_answered_with_a_sentence(client, mei, kind, address, sentence):
    answer = add(client, kind, address)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert not mei.methods.exists()


def test_a_telephone_number_is_kept_to_be_called(client, mei):
    page = text(add(client, "phone", "+44 20 7946 0018"))
    assert "nothing is sent there" in page
    assert not Message.objects.exists()


def test_methods_move_up_and_down(client, mei):
    first, second = make_method(mei), make_method(mei, kind=MethodKind.NTFY)
    client.post(reverse("notify:move-method", args=[second.pk]), {"up": "1"})
    assert directory.methods_of(mei) == [second, first]
    client.post(reverse("notify:move-method", args=[second.pk]), {"up": "1"})
    client.post(reverse("notify:move-method", args=[second.pk]), {"down": "1"})
    assert directory.methods_of(mei) == [first, second]


def test_retiring_the_last_method_warns(client, mei):
    method = make_method(mei)
    page = text(client.post(reverse("notify:retire-method", args=[method.pk]), follow=True))
    assert "Nothing more is sent to" in page
    assert "You have no verified contact method now." in page


def test_codes_are_not_sent_without_end(client, mei):
    method = make_method(mei, verified=False)
    pages = [client.post(reverse("notify:send-code", args=[method.pk]), follow=True) for _ in range(6)]
    assert "A code is on its way" in text(pages[0])
    assert "Too many codes" in text(pages[5])


@pytest.mark.parametrize("name", ["move-method", "send-code", "verify-method", "retire-method"])
def test_nobody_touches_the_methods_of_another(client, mei, name):
    method = make_method(make_contact(user=make_user("jonas"), reachable=False), verified=False)
    address = reverse(f"notify:{name}", args=[method.pk])
    assert client.post(address, {"code": "000000"}).status_code == 404
    assert client.get(address).status_code == 405
    assert ContactMethod.objects.get(pk=method.pk).active


def test_history_names_the_person_themselves(client, mei):
    add(client, "email", "mei@example.org")
    row = mei.methods.get().history.get()
    assert (row.actor_name, row.origin) == ("mei", "web")


@pytest.mark.parametrize("path", [INBOX, METHODS])
def test_who_keeps_the_directory_is_led_to_add_an_own_entry(client, path):
    client.force_login(make_user("root", roles=["administrator"]))
    assert reverse("admin:directory_contact_add") in text(client.get(path))


@pytest.mark.parametrize("path", [INBOX, METHODS])
def test_who_cannot_add_an_entry_is_told_whom_to_ask(client, path):
    client.force_login(make_user("ann", roles=["responder"]))
    page = text(client.get(path))
    assert "Ask an administrator to join your account" in page
    assert reverse("admin:directory_contact_add") not in page
