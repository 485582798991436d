"""Real runbooks of twenty organisations: none raises, nothing is lost, what is structure becomes structure."""

import re

import pytest

from portal.runbooks.markdown.reporting import read_file
from tests.factories.runbooks import RUNBOOKS

FILES = sorted(path for path in RUNBOOKS.glob("*") if path.suffix in {".md", ".erb"})
COUNTED = ("tables", "checkboxes", "numbered_steps")


@pytest.fixture(scope="module")
def readings():
    return {path.name: read_file(path.name, path.read_bytes()) for path in FILES}


def test_the_samples_are_there():
    assert len(FILES) == 31


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:60])
def test_every_word_is_kept_and_reading_the_export_changes_nothing(path, readings):
    found = readings[path.name]
    report = found.report()
    assert report["characters"]["kept"] == report["characters"]["read"]
    words = set(re.findall(r"[^\W_]{3,}", found.source.lower()))
    assert words <= set(re.findall(r"[^\W_]{3,}", found.written.lower()))
    again = read_file(path.name, found.written.encode())
    assert (again.text, again.written) == (found.text, found.written)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:60])
def test_every_line_is_understood_or_reported(path, readings):
    found = readings[path.name]
    told = {line.line for line in found.kept_as_text} | found.content.understood
    for number, line in enumerate(found.source.split("\n"), start=1):
        if re.search(r"[^\W_]", line):
            assert number in told, f"line {number} is neither: {line}"


@pytest.mark.parametrize("kind", COUNTED)
def test_at_least_95_of_100_become_structure(kind, readings):
    reports = [found.report()[kind] for found in readings.values()]
    found, structured = (sum(report[name] for report in reports) for name in ("found", "structured"))
    assert found > 0
    assert 0.95 * found <= structured <= found
