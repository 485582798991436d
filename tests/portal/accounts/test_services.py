from datetime import UTC, datetime

import pytest
from axes.models import AccessAttempt

from portal.accounts import roles, services
from portal.accounts.models import User
from tests.factories.accounts import make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 17, 12, tzinfo=UTC)


def test_a_role_is_given_and_taken_with_history():
    user, boss = make_user(), make_user("boss", first_name="Bo", last_name="Ss")
    services.grant(user, "auditor", by=boss, at=AT, reason="She joins the auditors")
    assert roles.has_role(user, "auditor")
    row = user.history.first()
    assert (row.actor_name, row.history_user_id, row.history_date) == ("Bo Ss", boss.pk, AT)
    assert (row.history_change_reason, row.groups.count()) == ("She joins the auditors", 1)
    services.withdraw(user, "auditor", by=boss, at=AT, reason="A test")
    assert not roles.has_role(user, "auditor")
    assert user.history.first().groups.count() == 0


def test_an_unknown_role_is_refused():
    with pytest.raises(KeyError):
        services.grant(make_user(), "king", by="test", at=AT, reason="A test")


def test_a_closed_account_is_signed_out_and_keeps_its_name(client):
    user = make_user()
    client.force_login(user)
    services.deactivate(user, by="test", at=AT, reason="left")
    assert client.get("/me/").status_code == 302
    assert User.objects.filter(pk=user.pk).exists()
    assert user.history.first().history_change_reason == "left"
    services.reactivate(user, by="test", at=AT, reason="A test")
    assert client.get("/me/").status_code == 302  # the session that was ended stays so
    client.force_login(user)
    assert client.get("/me/").status_code == 200


def test_a_sign_in_is_unlocked_beside_the_account_as_it_stands():
    user = make_user("amara")
    stale = User.objects.get(pk=user.pk)
    services.deactivate(user, by="admin", at=AT, reason="They left")
    AccessAttempt.objects.create(username="amara", ip_address="192.0.2.1", failures_since_start=9)
    assert services.unlock(stale, by="admin", at=AT, reason="They asked") == 1
    row = user.history.first()
    assert (row.history_change_reason, row.is_active) == ("Sign-in unlocked. They asked", False)
