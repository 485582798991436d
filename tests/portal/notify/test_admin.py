"""The outbox in the admin: readable, without the secret parts of an address, and never changeable."""

import pytest
from django.urls import reverse

from tests.factories.accounts import make_user
from tests.factories.directory import make_contact
from tests.factories.notify import make_message

pytestmark = pytest.mark.django_db


def test_a_message_is_read_and_not_changed_even_by_a_superuser(client):
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    address = "https://hooks.slack.com/services/TAAAAAAAA/BAAAAAAAA/SecretPartOfTheAddress"
    message = make_message(lane="slack", address=address, contact_id=make_contact("Ada").pk)
    for page in (reverse("admin:notify_message_changelist"), reverse("admin:notify_message_change", args=[message.pk])):
        answer = client.get(page)
        assert answer.status_code == 200
        assert "Ada" in answer.text
        assert "SecretPart" not in answer.text
    assert client.post(reverse("admin:notify_message_change", args=[message.pk]), {"title": "x"}).status_code == 403
