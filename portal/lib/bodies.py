"""The body of a request that a machine sends, read within bounds whatever its headers say."""

from __future__ import annotations

from django.http import HttpRequest


class TooLong(ValueError):
    """The body is longer than what is taken."""


def read_within(request: HttpRequest, most: int) -> bytes:
    """Return the body of at most `most` bytes; TooLong is raised for more. No more than one byte over it is read."""
    body = request.read(most + 1)
    if len(body) > most:
        raise TooLong
    return body
