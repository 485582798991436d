"""One packet for all tests of a file, and the program that checks it, both in reach of the test."""

import importlib.util
import io
import shutil
import sys
from contextlib import contextmanager, redirect_stdout

import pytest
from django.db import transaction

from incidents import services as incidents
from portal.audit import anchors, sealing
from portal.audit.actor import acting
from portal.lib import clock
from tests.factories.accounts import make_user
from tests.factories.directory import make_contact, make_method, make_system
from tests.factories.incidents import make_incident, make_policy
from tests.factories.packets import DAY, VERIFIER, make_packet, packet_file


@pytest.fixture(scope="session")
def verifier():
    """The stand-alone program as a module."""
    spec = importlib.util.spec_from_file_location("verify_packet", VERIFIER)
    found = importlib.util.module_from_spec(spec)
    sys.modules["verify_packet"] = found
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="session")
def check(verifier):
    """`check(path, *options)`: exit code and words of the program, in this process."""

    def check(path, *options):
        said = io.StringIO()
        with redirect_stdout(said):
            code = verifier.main([str(path), *map(str, options)])
        return code, said.getvalue()

    return check


def live():
    """A small company whose record says all that a record can say."""
    ada = make_contact("Ada \u017di\u017eek", user=make_user("ada", first_name="=Ada", last_name="<b>"))
    make_method(ada, kind="phone", address="+44 20 7946 0999")
    make_policy("Night, \u591c", systems=[make_system("db", name='Data\n"base"')])
    for number in range(6):
        incident = make_incident(title=f"=cmd|{number}", at=clock.now())
        incidents.acknowledge(incident, by=ada, at=clock.now())


@pytest.fixture(scope="module")
def packet(django_db_setup, django_db_blocker, tmp_path_factory):
    """A packet of a small company, made once; nothing of it stays in the database."""
    with outside_of_tests(django_db_blocker):
        live()
        return shutil.copyfile(packet_file(make_packet(size=8)), tmp_path_factory.mktemp("packet") / "packet.zip")


@pytest.fixture(scope="module")
def small_packet(django_db_setup, django_db_blocker, tmp_path_factory):
    """A packet of a day between two anchors, with a sample of two: checked in no time."""
    with outside_of_tests(django_db_blocker):
        now = clock.now()
        while sealing.seal(at=now):
            continue
        anchors.anchor(at=now)
        make_incident(at=now)
        made = packet_file(make_packet(starts=now, ends=now + DAY, size=2))
        return shutil.copyfile(made, tmp_path_factory.mktemp("packet") / "small.zip")


@contextmanager
def outside_of_tests(blocker):
    """Use the database for what several tests share; nothing stays in it."""
    with blocker.unblock(), transaction.atomic(), acting(by="test", reason="A test", origin="command"):
        yield
        transaction.set_rollback(True)
