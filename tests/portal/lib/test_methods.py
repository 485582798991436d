"""Pages are read and posted to; what machines call says itself what it takes."""

import pytest
from django.test import Client

from portal.lib import methods
from tests.factories.accounts import make_superuser

OTHERS = ("put", "patch", "delete", "options", "trace")


@pytest.mark.django_db
@pytest.mark.parametrize("method", OTHERS)
@pytest.mark.parametrize(
    "address", ["/", "/sign-in/", "/incidents/", "/admin/", "/admin/directory/system/", "/healthz/"]
)
def test_a_page_takes_no_other_method_whoever_asks(client, method, address):
    client.force_login(make_superuser("root"), backend="django.contrib.auth.backends.ModelBackend")
    answer = getattr(client, method)(address)
    assert (answer.status_code, answer.content.decode()) == (405, methods.SENTENCE)
    assert answer.headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.django_db
def test_a_form_that_is_put_without_its_token_is_told_of_the_method_and_not_of_the_token():
    assert Client(enforce_csrf_checks=True).put("/sign-in/").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/intake/x/", "/v2/enqueue", "/backups/x/", "/maintenance/x/done"])
def test_an_address_of_machines_answers_in_its_own_words(client, address):
    answer = client.put(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (405, "application/json")


@pytest.mark.django_db
def test_an_address_that_leads_nowhere_stays_unknown(client):
    assert client.put("/nowhere/at/all/").status_code == 404
