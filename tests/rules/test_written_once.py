"""What is written once is used by all: the root of refusals, the field for moments, the calls of machines."""

import ast
import importlib
import inspect
import pkgutil

import pytest
from django.urls import URLPattern, get_resolver

from portal.lib.refusals import Refusal
from tests.rules.test_laws import PARTS, ROOT, SOURCES, dotted_end, name_of, parsed

MOMENTS = "portal/lib/moments.py"
BY_MACHINES = ("changes/", "maintenance/", "backups/")


def plain_moments(tree):
    """Yield the line of each form field for a moment that is not the one of portal.lib.moments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and dotted_end(node.func) in {
            ("forms", "DateTimeField"), ("forms", "SplitDateTimeField"), ("forms", "DateTimeInput"),
        }:  # fmt: skip
            yield node.lineno


def refusals():
    """Yield every class of the project that is called Refused, or NotYours."""
    for part in PARTS:
        package = importlib.import_module(part)
        for found in pkgutil.walk_packages(package.__path__, f"{part}."):
            if found.name.rpartition(".")[2] in {"policy", "rules", "services"}:
                module = importlib.import_module(found.name)
                for name in ("Refused", "NotYours"):
                    kind = vars(module).get(name)
                    if inspect.isclass(kind) and kind.__module__ == module.__name__:
                        yield kind


def patterns(resolver, prefix=""):
    for one in resolver.url_patterns:
        path = prefix + str(one.pattern)
        if isinstance(one, URLPattern):
            yield path, one.callback
        else:
            yield from patterns(one, path)


@pytest.mark.parametrize("path", [path for path in SOURCES if name_of(path) != MOMENTS], ids=name_of)
def test_a_moment_that_somebody_types_is_read_by_one_field(path):
    wrong = sorted(plain_moments(parsed(path)))
    assert not wrong, f"{name_of(path)}, lines {wrong}: use portal.lib.moments.MomentField, which knows clock changes"


def test_the_rule_of_moments_sees_what_it_should():
    written = "forms.DateTimeField()\nx.forms.DateTimeInput()\nmodels.DateTimeField()\nforms.DateField()"
    assert sorted(plain_moments(ast.parse(written))) == [1, 2]
    assert (ROOT / MOMENTS).exists()


def test_every_refusal_has_one_root():
    found = list(refusals())
    assert len(found) > 10
    wrong = [f"{kind.__module__}.{kind.__name__}" for kind in found if not issubclass(kind, Refusal)]
    assert not wrong, f"derive them from portal.lib.refusals.Refusal: {wrong}"


def test_what_machines_report_by_a_token_is_taken_in_one_way():
    found = [(path, view) for path, view in patterns(get_resolver()) if path.startswith(BY_MACHINES)]
    calls = {path: view for path, view in found if getattr(view, "csrf_exempt", False)}
    assert len(calls) == 3, sorted(calls)
    wrong = [path for path, view in calls.items() if not getattr(view, "only_post", "")]
    assert not wrong, f"decorate them with portal.lib.calls.posted: {wrong}"
