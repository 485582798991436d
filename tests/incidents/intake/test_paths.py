"""Paths find what stands in a payload, and say what cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.intake import paths
from incidents.intake.paths import BadPath, Chosen, Every

PAYLOAD = {
    "title": "Disk",
    "count": 3,
    "event": {"monitor": {"name": "db-1"}, "empty": "", "none": None},
    "alerts": [{"host": "a", "on": True}, {"host": "b"}],
    "fields": [{"key": "team", "value": "ops"}, {"key": "severity", "value": "high"}],
    "labels": {"app.kubernetes.io": "shop", 'with "quotes"': "yes"},
}

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
plain_names = st.text("abcXYZ_-09:/", min_size=1, max_size=8)
steps = st.one_of(names, st.integers(-3, 3), st.just(Every()), st.builds(Chosen, plain_names, plain_names))
whole_paths = st.lists(steps, min_size=1, max_size=6).map(tuple)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", "Disk"),
        ("count", "3"),
        ("event.monitor.name", "db-1"),
        ("alerts[0].host", "a"),
        ("alerts[-1].host", "b"),
        ("alerts[0].on", "true"),
        ("alerts[*].host", "a, b"),
        ("fields[key=severity].value", "high"),
        ("fields[key=nothing].value", ""),
        ('labels["app.kubernetes.io"]', "shop"),
        ('labels["with \\"quotes\\""]', "yes"),
        ("title + event.monitor.name", "Disk db-1"),
        ("event.nothing + title", "Disk"),
        ('labels["a+b"] + title', "Disk"),
        ("event", ""),
        ("alerts", ""),
        ("event.empty", ""),
        ("event.none", ""),
        ("alerts[9].host", ""),
        ("title[0]", ""),
    ],
)
def test_a_path_finds_a_value(path, value):
    assert paths.value_of(PAYLOAD, paths.parse(path)) == value


@pytest.mark.parametrize(
    "path", ["", " ", "a..b", "a.", ".a", "a[", "a[x]", "a + ", "a b", 'a["x]', "x" * 301, "a.b" * 90]
)
def test_what_is_no_path_is_refused_with_a_sentence(path):
    with pytest.raises(BadPath) as caught:
        paths.parse(path)
    assert str(caught.value).endswith((".", "title."))


@settings(deadline=None)
@given(whole_paths)
def test_a_path_is_read_as_it_is_written(path):
    text = paths.render(path)
    if len(text) <= paths.LENGTH:
        assert paths.parse(text) == (path,)


@settings(deadline=None)
@given(anything, whole_paths)
def test_a_path_into_anything_finds_text_or_nothing(data, path):
    assert isinstance(paths.value_of(data, (path,)), str)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_path_or_refused(text):
    try:
        found = paths.parse(text)
    except BadPath:
        return
    assert all(found)


@settings(deadline=None)
@given(st.lists(names, min_size=1, max_size=5), st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_what_stands_at_a_path_is_found_there(keys, value):
    data: object = value
    for key in reversed(keys):
        data = {key: data}
    assert paths.value_of(data, (tuple(keys),)) == value
