"""Choosing several records: a key of any length is answered with a sentence."""

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from portal.lib.choosing import ManyField

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "key", ["9" * 18, "9" * 19, "9" * 23, "-" + "9" * 17, "-" + "9" * 30, "9" * 5000, "x", "x" * 30]
)
def test_a_key_that_is_not_in_the_list_is_refused_with_a_sentence(key):
    group = Group.objects.create(name="One")
    with pytest.raises(ValidationError) as refused:
        ManyField(queryset=Group.objects.all()).clean([str(group.pk), key])
    assert refused.value.messages == ["Choose from the list."]


def test_what_is_in_the_list_is_chosen():
    chosen = [Group.objects.create(name=name) for name in ("One", "Two")]
    field = ManyField(queryset=Group.objects.all())
    assert set(field.clean([str(group.pk) for group in chosen])) == set(chosen)
    assert set(field.clean([group.pk for group in chosen])) == set(chosen)
    assert not ManyField(queryset=Group.objects.all(), required=False).clean([])
