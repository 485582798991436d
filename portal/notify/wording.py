"""The words of a message, rendered from templates/notify/<kind>.subject.txt and .body.txt."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.template import Context, Engine, Template

LONGEST_TITLE = 300


@cache
def _template(name: str) -> Template:
    return Engine.get_default().get_template(name)


def render(kind: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Return title and body of a message of this kind, such as ``incident_page``."""
    return render_title(kind, context), render_body(kind, context)


def render_title(kind: str, context: Mapping[str, Any]) -> str:
    """Return the title of a message of this kind, on one line."""
    title = _template(f"notify/{kind}.subject.txt").render(Context(dict(context), autoescape=False))
    return " ".join(title.split())[:LONGEST_TITLE]


def render_body(kind: str, context: Mapping[str, Any]) -> str:
    """Return the body of a message of this kind."""
    return _template(f"notify/{kind}.body.txt").render(Context(dict(context), autoescape=False)).strip() + "\n"
