"""Alert payloads for tests: the suite's own small ones, and the real ones where they are at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OWN = ROOT / "tests" / "fixtures" / "intake"
SAMPLES = Path(os.environ.get("WATCHBOOK_SAMPLES") or ROOT.parent / "shared" / "samples")
SAMPLES_ABSENT = f"The real samples were not found at {SAMPLES}; set WATCHBOOK_SAMPLES to their folder"


def payload(name: str, **changes: Any) -> dict[str, Any]:
    """One of the suite's own payloads, such as "v4_firing", with the fields that the test changes."""
    return json.loads((OWN / f"{name}.json").read_text()) | changes


def body(name: str, **changes: Any) -> bytes:
    """The same, as it is posted."""
    return json.dumps(payload(name, **changes)).encode()


def real_payloads() -> list[Path]:
    """The webhook payloads that other tools really send, also when their own folder is named; none when absent."""
    return sorted((SAMPLES / "webhooks").glob("*.json")) or sorted(SAMPLES.glob("*.json"))
