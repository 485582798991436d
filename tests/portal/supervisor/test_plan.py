"""What the portal consists of: sweeps and messages apart, two sweepers, and everything on the folder's own settings."""

from pathlib import Path

import pytest

from portal.celery import CONFIGURATION, EXPORTS, LANES, SWEEPS
from portal.supervisor import plan


@pytest.fixture
def children(tmp_path):
    return {child.name: child for child in plan.children(plan.Place(Path.cwd(), tmp_path, "127.0.0.1", 8123))}


def queue_of(child):
    return child.argv[child.argv.index("-Q") + 1]


def test_a_hung_message_lane_cannot_hold_up_a_sweep(children):
    assert queue_of(children["sweep worker 1"]) == queue_of(children["sweep worker 2"]) == SWEEPS
    assert queue_of(children["message worker"]) == LANES
    assert CONFIGURATION["task_routes"]["portal.notify.tasks.*"] == {"queue": LANES}


def test_a_long_export_cannot_hold_up_a_sweep_or_a_message(children):
    assert queue_of(children["export worker"]) == EXPORTS
    assert CONFIGURATION["task_routes"]["portal.assurance.tasks.make_exports"] == {"queue": EXPORTS}
    assert CONFIGURATION["beat_schedule"]["make-exports"]["options"]["queue"] == EXPORTS


def test_every_process_is_told_its_data_folder(children, tmp_path):
    assert {child.environment["PORTAL_DATA"] for child in children.values()} == {str(tmp_path)}
    assert len({child.log for child in children.values()}) == len(children)


def test_beat_keeps_nothing_on_disk(children):
    assert "celery.beat:Scheduler" in children["beat"].argv


def test_an_address_of_version_6_is_written_in_brackets(tmp_path):
    assert "[::1]:80" in plan.web(plan.Place(tmp_path, tmp_path, "::1", 80))


def test_every_ring_of_beat_expires():
    assert CONFIGURATION["beat_schedule"]
    for entry in CONFIGURATION["beat_schedule"].values():
        assert 0 < entry["options"]["expires"] <= 4 * entry["schedule"]


def test_no_moment_is_kept_in_the_broker():
    assert CONFIGURATION["accept_content"] == ["json"]
    assert CONFIGURATION["task_ignore_result"] is True
    assert "result_backend" not in CONFIGURATION
    assert CONFIGURATION["task_acks_late"] is CONFIGURATION["task_reject_on_worker_lost"] is True


def test_a_task_returns_from_a_dead_worker_only_after_the_longest_lawful_run():
    options = CONFIGURATION["broker_transport_options"]
    assert options["visibility_timeout"] > CONFIGURATION["task_time_limit"]
    assert options["socket_timeout"] > 1
    assert options["socket_connect_timeout"] > 0


def test_a_drop_of_mails_runs_only_where_it_is_asked_for(children, tmp_path):
    assert "mail drop" not in children
    place = plan.Place(Path.cwd(), tmp_path, "127.0.0.1", 8123, "127.0.0.1:2525")
    assert plan.children(place)[-1].argv[-1] == "smtp_drop"
