"""A port or a data folder that is taken is a sentence, not a traceback."""

import socket

import pytest

from portal.supervisor.place import Taken, check_port, only_portal_of


def test_a_free_port_is_fine():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    check_port("127.0.0.1", port)


def test_a_port_in_use_is_named_with_the_way_out():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Taken, match=rf"port {port} is in use. .* --port"):
            check_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(Taken, match=r"192\.0\.2\.1 is not an address of this machine"):
        check_port("192.0.2.1", 8000)


def test_a_data_folder_has_one_portal(tmp_path):
    with (
        only_portal_of(tmp_path),
        pytest.raises(Taken, match=r"another portal \(process \d+\) uses the data folder"),
        only_portal_of(tmp_path),
    ):
        pass
    with only_portal_of(tmp_path):
        pass


def test_two_portals_with_two_folders_stand_side_by_side(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with only_portal_of(tmp_path / "a"), only_portal_of(tmp_path / "b"):
        pass
