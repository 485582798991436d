"""`manage.py intake` makes addresses that work, shows their secret once, and revokes them."""

from __future__ import annotations

import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from incidents.models import IntakeToken
from tests.factories.incidents import make_token
from tests.factories.payloads import body

pytestmark = pytest.mark.django_db


def run(verb: str, *arguments: str, capsys, reason: str = "The probes moved") -> str:
    why = [] if verb == "list" else ["--reason", reason]
    call_command("intake", verb, *arguments, *why)
    return capsys.readouterr().out


def test_add_prints_an_address_that_takes_alerts(capsys, settings):
    settings.PORTAL_URL = "https://watchbook.example.org"
    printed = run("add", "Prometheus", "--kind", "alertmanager", capsys=capsys)
    found = re.search(r"https://watchbook\.example\.org(/intake/[\w-]{30,}/)", printed)
    assert Client().post(found[1], body("v4_firing"), "application/json").json()["status"] == "opened"


def test_the_secret_is_kept_nowhere(capsys):
    printed = run("add", "Prometheus", capsys=capsys)
    secret = re.search(r"/intake/([\w-]+)/", printed)[1]
    token = IntakeToken.objects.get()
    rows = [*IntakeToken.objects.values(), *IntakeToken.history.values()]
    assert secret not in str(rows)
    assert secret not in run("list", capsys=capsys)
    assert token.created_by == token.history.get().actor_name == "test"


def test_a_name_is_given_once(capsys):
    run("add", "Prometheus", capsys=capsys)
    with pytest.raises(CommandError, match="already exists"):
        run("add", "Prometheus", capsys=capsys)


def test_a_level_may_be_named_for_alerts_that_name_none(capsys):
    run("add", "Probe", "--kind", "json", "--severity", "sev-2", capsys=capsys)
    assert IntakeToken.objects.get().default_severity.code == "SEV-2"
    with pytest.raises(CommandError, match="Choose one of SEV-1, SEV-2"):
        run("add", "Other", "--severity", "loud", capsys=capsys)


def test_revoke_closes_the_address(capsys):
    _, secret = make_token("Prometheus")
    run("revoke", "Prometheus", reason="It leaked", capsys=capsys)
    assert Client().post(f"/intake/{secret}/", body("v4_firing"), "application/json").status_code == 404
    token = IntakeToken.objects.get()
    assert token.revoked_at
    assert token.history.latest().history_change_reason == "It leaked"
    with pytest.raises(CommandError, match="was revoked already"):
        run("revoke", "Prometheus", capsys=capsys)


def test_an_unknown_name_cannot_be_revoked(capsys):
    with pytest.raises(CommandError, match="intake list"):
        run("revoke", "Nobody", capsys=capsys)


def test_list_says_what_each_address_does(capsys):
    assert "There is no intake address" in run("list", capsys=capsys)
    _, secret = make_token("Prometheus")
    Client().post(f"/intake/{secret}/", b"{", "application/json")
    assert re.search(r"Prometheus: Prometheus Alertmanager, in use, last post \d{4}", run("list", capsys=capsys))


def test_a_reason_that_is_given_is_kept_and_an_empty_one_refused(capsys):
    run("add", "Prometheus", capsys=capsys)
    assert IntakeToken.objects.get().history.latest().history_change_reason == "The probes moved"
    for verb in ("add", "revoke"):
        with pytest.raises(CommandError, match="Say why"):
            run(verb, "Prometheus", reason=" \n", capsys=capsys)


def test_a_new_source_says_for_itself_why_it_is_there_but_not_why_it_goes(capsys):
    call_command("intake", "add", "Prometheus")
    assert IntakeToken.objects.get().history.latest().history_change_reason
    with pytest.raises(CommandError, match="--reason"):
        call_command("intake", "revoke", "Prometheus")


def test_a_kind_has_what_its_tools_need(capsys):
    assert "/v2/enqueue with this key:" in run("add", "Events", "--kind", "pagerduty", capsys=capsys)
    run("add", "Script", "--kind", "plain", capsys=capsys)
    assert IntakeToken.objects.get(name="Script").kind == "json"
    run("add", "Pings", "--kind", "generic", "--preset", "pingdom", capsys=capsys)
    assert IntakeToken.objects.get(name="Pings").lines.exists()
    with pytest.raises(CommandError, match="Only generic ones"):
        run("add", "Odd", "--kind", "grafana", "--preset", "pingdom", capsys=capsys)
    assert not IntakeToken.objects.filter(name="Odd").exists()


def test_what_is_refused_names_its_option(capsys):
    with pytest.raises(CommandError, match=r"--every: .* --grace: "):
        run("add", "Pings", "--kind", "heartbeat", "--every", "0", "--grace", "-5", capsys=capsys)
    with pytest.raises(CommandError, match="name: Fill this in"):
        run("add", "", capsys=capsys)
