"""The linter sees imports; these tests see relations, which can be named by a string."""

import pytest
from django.apps import apps

DOMAINS = ("incidents", "changes", "maintenance")
# Below to above; a row may point at its own layer or at a lower one. Apps of one layer are blind to each other.
LAYERS = (
    {"contenttypes"},
    {"auth"},
    {"accounts"},
    {"directory"},
    {"deadlines", "notify", "records"},
    {"approvals"},
    {"runbooks"},
    set(DOMAINS),
)
HEIGHT = {label: height for height, layer in enumerate(LAYERS) for label in layer}
RELATIONS = [
    (model, field)
    for model in apps.get_models(include_auto_created=True)
    if model._meta.app_label in HEIGHT
    for field in model._meta.get_fields()
    if field.is_relation and not field.auto_created and field.related_model is not None
]


def named(model, field):
    return f"{model._meta.label}.{field.name}"


@pytest.mark.parametrize(("model", "field"), RELATIONS, ids=[named(*found) for found in RELATIONS])
def test_a_relation_points_downward_and_never_to_another_domain(model, field):
    own, other = model._meta.app_label, field.related_model._meta.app_label
    assert other in HEIGHT, f"{named(model, field)} points at {other}, which stands in no layer"
    assert own == other or HEIGHT[other] < HEIGHT[own], (
        f"{named(model, field)} points at {other}: let them meet in portal.records"
    )
