"""The Celery app: a doorbell. Every moment and every message is a row; a task only says "look now".

Sweeps, message lanes and exports have queues and workers of their own, so that neither a mail server that hangs nor a
long export ever delays a sweep.
"""

import os
from typing import Any

from celery import Celery, signals
from django import db
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

SWEEPS = "sweep"
LANES = "lanes"
EXPORTS = "exports"
TASK_LIMIT_SECONDS = 60


def ticks(task: str, seconds: float, queue: str = SWEEPS) -> dict[str, Any]:
    """Return a beat entry that rings `task`; a ring nobody heard before the next one but one is dropped."""
    return {"task": task, "schedule": seconds, "options": {"expires": 2 * seconds, "queue": queue}}


CONFIGURATION: dict[str, Any] = {
    "broker_url": settings.CELERY_BROKER_URL,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "broker_transport_options": {
        "socket_connect_timeout": 2,
        "socket_timeout": 10,
        "socket_keepalive": True,
        "retry_on_timeout": True,
        "health_check_interval": 5,
        # A dead worker's tasks return after the longest lawful run, looked for every other second.
        "visibility_timeout": TASK_LIMIT_SECONDS + 30,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
    },
    "accept_content": ["json"],
    "task_serializer": "json",
    "task_ignore_result": True,
    "task_store_errors_even_if_ignored": False,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_publish_retry": False,
    "task_soft_time_limit": TASK_LIMIT_SECONDS - 5,
    "task_time_limit": TASK_LIMIT_SECONDS,
    "task_default_queue": SWEEPS,
    "task_routes": {
        "portal.notify.tasks.*": {"queue": LANES},
        "portal.assurance.tasks.make_exports": {"queue": EXPORTS},
        "portal.assurance.tasks.reconcile": {"queue": EXPORTS},
        "portal.dashboard.tasks.contact_sheet": {"queue": EXPORTS},
        "portal.records.tasks.read_evidence": {"queue": EXPORTS},
    },
    "worker_prefetch_multiplier": 1,
    "worker_send_task_events": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    # Celery would open the database anew for each task; in a storm PostgreSQL was busy with little else.
    "CELERY_DB_REUSE_MAX": 10_000,
    "timezone": "UTC",
    "beat_max_loop_interval": 1,
    "beat_schedule": {
        "sweep": ticks("portal.dashboard.tasks.sweep", 2),
        "ring-lanes": ticks("portal.dashboard.tasks.ring_lanes", 2),
        "watch": ticks("portal.dashboard.tasks.watch", 15),
        "make-exports": ticks("portal.assurance.tasks.make_exports", 5, EXPORTS),
        "contact-sheet": ticks("portal.dashboard.tasks.contact_sheet", 60, EXPORTS),
        "seal": ticks("portal.assurance.tasks.seal", 2),
        "anchor": ticks("portal.assurance.tasks.anchor", 30, EXPORTS),
        "verify": ticks("portal.assurance.tasks.verify", 60, EXPORTS),
        "reconcile": ticks("portal.assurance.tasks.reconcile", 15, EXPORTS),
        "read-evidence": ticks("portal.records.tasks.read_evidence", 60, EXPORTS),
    },
}

app = Celery("portal")
app.config_from_object(CONFIGURATION)
app.autodiscover_tasks()


@signals.setup_logging.connect
def _keep_logging(**_: Any) -> None:
    """Leave the logs as the settings made them: Celery replaces them otherwise."""


@signals.task_prerun.connect
def _keep_good_connections(sender: Any, **_: Any) -> None:
    """Go on with the connection of the task before, unless it is too old or broke: what Django does for requests."""
    if not sender.request.is_eager:
        db.close_old_connections()
