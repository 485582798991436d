"""How the portal logs: data as JSON in a secure installation, key=value lines elsewhere. Never secrets."""

import re
from collections.abc import Callable
from typing import Any

import structlog

# The secret of an intake address or of a link in a message stands in its path.
SECRET_PATHS = re.compile(r"(/(?:intake|a)/)[^/\s\"'?&<>]+")

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def masked(renderer: Callable[..., str | bytes]) -> Callable[..., str]:
    """Return the renderer with the secrets in paths replaced by ***, wherever in the line they stand."""

    def render(*arguments: Any) -> str:
        return SECRET_PATHS.sub(r"\1***", str(renderer(*arguments)))

    return render


def configure(*, as_json: bool) -> dict[str, Any]:
    """Set up structlog and return Django's LOGGING, so that both write the same lines to standard error."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.processors.LogfmtRenderer(
            key_order=["timestamp", "level", "logger", "event"], bool_as_flag=False
        )
    )
    last = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "processors": [*last, masked(renderer)],
                "foreign_pre_chain": SHARED,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "INFO", "propagate": True},
            "celery.app.trace": {"level": "WARNING"},  # one line a task would be thousands a day
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.worker.request": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
        },
    }
