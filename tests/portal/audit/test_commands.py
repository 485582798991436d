import getpass
import socket

import pytest

from portal.audit import commands
from portal.audit.actor import current


@pytest.fixture
def seen(monkeypatch, nobody):
    found = []
    monkeypatch.setattr(commands, "execute_from_command_line", lambda argv: found.append((argv, current())))
    return found


def test_a_command_acts_as_itself_for_whoever_started_it(seen):
    commands.run(["manage.py", "intake", "add", "x"])
    argv, acting = seen[0]
    assert argv == ["manage.py", "intake", "add", "x"]
    assert acting.actor.name == f"command: intake by {getpass.getuser()}@{socket.gethostname()}"
    assert acting.origin == "command"
    assert current() is None


def test_a_nameless_user_of_a_container_is_unknown(seen, monkeypatch):
    def fail():
        raise KeyError("uid")

    monkeypatch.setattr(commands.getpass, "getuser", fail)
    commands.run(["manage.py"])
    assert seen[0][1].actor.name.startswith("command: help by unknown@")
