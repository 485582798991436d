"""What the README and the guides point at is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from incidents.intake import alertmanager

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page):
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    files = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in files if not (page.parent / target).exists()] == []


def test_the_alert_that_the_readme_posts_can_be_read():
    posted = re.search(r"-d @(\S+)", (ROOT / "README.md").read_text())
    assert posted
    report = alertmanager.parse(json.loads((ROOT / posted[1]).read_text()))
    assert report.firing
