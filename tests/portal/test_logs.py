"""A log line is data, one line with its trace, and holds no secret."""

import json
import logging

import pytest
from django.test import RequestFactory

from portal import logs


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("path", ["/intake/s3cret-of-an-address/", "/intake/s3cret-of-an-address", "/a/s3cret-link/"])
def test_the_secret_in_a_path_is_masked_wherever_it_stands(as_json, path):
    configuration = logs.configure(as_json=as_json)
    options = dict(configuration["formatters"]["lines"])
    formatter = options.pop("()")
    assert formatter == "structlog.stdlib.ProcessorFormatter"
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, "Not Found: %s", (path,), None)
    record.request = RequestFactory().post(path)
    line = logs.structlog.stdlib.ProcessorFormatter(**options).format(record)
    assert "s3cret" not in line
    assert "***" in line


def formatted(*, as_json):
    """Return the line of a warning with a trace."""
    options = dict(logs.configure(as_json=as_json)["formatters"]["lines"])
    del options["()"]
    record = logging.LogRecord("portal.example", logging.WARNING, "", 1, "It went wrong", (), trace())
    record.attempt = 3
    return logs.structlog.stdlib.ProcessorFormatter(**options).format(record)


def trace():
    """Return an exception with its trace, as logging takes it."""
    try:
        int("two\nlines")
    except ValueError as problem:
        return type(problem), problem, problem.__traceback__


def test_a_secure_installation_logs_json():
    line = formatted(as_json=True)
    found = json.loads(line)
    assert "\n" not in line
    assert (found["event"], found["level"], found["attempt"]) == ("It went wrong", "warning", 3)
    assert "ValueError: invalid literal" in found["exception"]


def test_elsewhere_a_line_is_key_and_value():
    line = formatted(as_json=False)
    assert "\n" not in line
    assert 'level=warning logger=portal.example event="It went wrong" attempt=3' in line
    assert "ValueError: invalid literal" in line
