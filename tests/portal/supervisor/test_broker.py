"""The embedded broker belongs to its data folder, keeps what was rung, and is reachable by nobody else."""

import os
import signal
import stat
import subprocess
import time

import pytest
import redis

from portal.supervisor import broker


@pytest.fixture
def running(tmp_path):
    """Start prepared brokers; all are gone at the end."""
    processes = []

    def start(prepared):
        processes.append(subprocess.Popen(prepared.argv, stdout=subprocess.DEVNULL, start_new_session=True))
        end = time.monotonic() + 20
        while not broker.answers(prepared.address):
            assert time.monotonic() < end, "the broker did not answer"
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_the_broker_listens_on_a_socket_of_the_data_folder(tmp_path):
    prepared = broker.prepare(tmp_path)
    assert prepared.address == f"unix://{tmp_path / 'broker' / 'socket'}"
    assert (tmp_path / "broker" / "address").read_text().strip() == prepared.address
    assert "port 0" in (tmp_path / "broker" / "broker.conf").read_text()


def test_a_path_too_long_for_a_socket_makes_it_a_port_behind_a_password(tmp_path):
    deep = tmp_path.joinpath(*["a-long-name" * 3] * 3)
    prepared = broker.prepare(deep)
    assert prepared.address.startswith("redis://:")
    configuration = deep / "broker" / "broker.conf"
    assert "bind 127.0.0.1" in configuration.read_text()
    assert "requirepass" in configuration.read_text()
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o600
    assert stat.S_IMODE((deep / "broker" / "address").stat().st_mode) == 0o600


def test_what_was_rung_survives_kill_9(tmp_path, running):
    prepared = broker.prepare(tmp_path)
    process = running(prepared)
    with redis.Redis.from_url(prepared.address) as client:
        client.lpush("sweep", "look now")
        client.execute_command("WAITAOF", 1, 0, 5000)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    running(broker.prepare(tmp_path))
    with redis.Redis.from_url(prepared.address) as client:
        assert client.lrange("sweep", 0, -1) == [b"look now"]


def test_a_broker_behind_a_port_asks_for_the_password(tmp_path, running):
    prepared = broker.prepare(tmp_path.joinpath(*["a-long-name" * 3] * 3))
    running(prepared)
    port = int(prepared.address.rsplit(":", 1)[1].split("/")[0])
    with redis.Redis(port=port) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_a_broker_that_is_not_there_does_not_answer(tmp_path):
    assert not broker.answers(f"unix://{tmp_path}/nobody")


def test_without_a_bundled_program_one_of_the_system_is_taken(monkeypatch):
    monkeypatch.setattr(broker, "get_binary_path", None)
    monkeypatch.setattr(broker.shutil, "which", lambda name: f"/opt/{name}" if name == "redis-server" else None)
    assert broker.program() == "/opt/redis-server"
    monkeypatch.setattr(broker.shutil, "which", lambda _name: None)
    with pytest.raises(broker.NoBroker, match="Install valkey-server"):
        broker.program()


def test_what_cannot_be_read_any_more_is_set_aside(tmp_path):
    prepared = broker.prepare(tmp_path)
    for content in ("old", "new"):
        (tmp_path / "broker" / "appendonlydir").mkdir()
        (tmp_path / "broker" / "appendonlydir" / "manifest").write_text(content)
        broker.forget(prepared)
    assert not (tmp_path / "broker" / "appendonlydir").exists()
    assert (tmp_path / "broker" / "unreadable" / "manifest").read_text() == "new"
