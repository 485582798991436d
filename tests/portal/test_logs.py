"""What the portal logs holds no secret."""

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
