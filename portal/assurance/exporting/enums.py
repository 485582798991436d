"""What an export can be made as, and where it stands."""

from django.db import models


class ExportFormat(models.TextChoices):
    """The kind of file."""

    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel"
    JSONL = "jsonl", "JSON Lines"
    PACKET = "packet", "Evidence packet"

    @property
    def ending(self) -> str:
        """Return how the name of such a file ends, without the dot."""
        return "zip" if self is ExportFormat.PACKET else str(self.value)


class ExportState(models.TextChoices):
    """Waiting, being made under a lease, then done until its file expires; or failed with a sentence."""

    WAITING = "waiting", "Waiting"
    WORKING = "working", "Being made"
    DONE = "done", "Ready"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"


OPEN = (ExportState.WAITING.value, ExportState.WORKING.value)
CONTENT_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportFormat.JSONL: "application/jsonl",
    ExportFormat.PACKET: "application/zip",
}
