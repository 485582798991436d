"""The words of templates: a closed set of fields in braces, filled in by one pass over the text and nothing more.

Templates are data that people write. They are never given to Django's template language: a value is put in place as it
is, whatever it holds, and is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

# field: what it becomes
FIELDS: MappingProxyType[str, str] = MappingProxyType(
    {
        "reference": "the reference, such as INC-000042",
        "title": "the title of the incident",
        "severity": "the severity, such as SEV-1",
        "severity_name": "its name, such as Critical",
        "impact": "what the severity says of the effect",
        "systems": "the names of the affected systems",
        "status": "declared, acknowledged, mitigated, resolved",
        "started": "when it was declared",
        "duration": "how long it has lasted",
        "commander": "who commands it",
        "next_update": "when they hear again, such as within 30 min",
    }
)
_FIELD = re.compile(r"\{([^{}]*)\}")


def unknown_fields(text: str) -> list[str]:
    """Return what stands in braces and is no field, each once, in the order of the text."""
    return list(dict.fromkeys(name for name in _FIELD.findall(text) if name not in FIELDS))


def problem_with(text: str) -> str:
    """Return the sentence that says what is wrong with the fields of a template's text; "" when nothing is."""
    known = ", ".join(f"{{{name}}}" for name in FIELDS)
    unknown = unknown_fields(text)
    if unknown:
        named = ", ".join(f"{{{name}}}" for name in unknown)
        return f"There is no field {named[:200]}. The fields are {known}."
    rest = _FIELD.sub("", text)
    if "{" in rest or "}" in rest:
        return f"A brace stands alone. Fields stand in a pair of braces: {known}."
    return ""


def render(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its fields filled in. What is no field, or has no value here, stays as it was written."""
    return _FIELD.sub(lambda found: values.get(found[1], found[0]), text)
