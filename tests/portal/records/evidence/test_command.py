"""`manage.py evidence verify` names what is altered, missing or left over, and its exit code says whether any is."""

import json

import pytest
from django.core.management import call_command

from portal.records.evidence import storing
from tests.factories.evidence import make_evidence

pytestmark = pytest.mark.django_db


def test_whole_evidence_ends_well_and_damaged_evidence_does_not(capsys):
    item = make_evidence()
    call_command("evidence", "verify")
    assert "Read 1 files again, 0.0 MB. All are what was collected" in capsys.readouterr().out
    storing.path_of(item.stored.digest).unlink()
    with pytest.raises(SystemExit) as end:
        call_command("evidence", "verify", "--json")
    assert end.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert found["missing"] == [f"{item.stored.digest} ({item.reference})"]
    assert (found["objects"], found["intact"], found["clean"]) == (1, 0, False)
