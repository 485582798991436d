"""Django's own sentences are said in the words of the portal."""

import gettext
import re
from pathlib import Path

import pytest
from django.utils.translation import gettext as translated
from django.utils.translation import override

from portal.settings import BASE_DIR

FOLDER = Path(BASE_DIR) / "portal" / "locale" / "en_GB" / "LC_MESSAGES"


def pairs():
    source = (FOLDER / "django.po").read_text()
    return re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', source, re.MULTILINE)


def test_the_compiled_catalogue_is_that_of_the_source():
    with (FOLDER / "django.mo").open("rb") as compiled:
        catalogue = gettext.GNUTranslations(compiled)
    assert [catalogue.gettext(original) for original, _ in pairs()] == [ours for _, ours in pairs()]


@pytest.mark.parametrize("unwanted", ["successfully", "Please", "please", "!"])
def test_no_sentence_flatters_or_shouts(unwanted):
    assert [ours for _, ours in pairs() if unwanted in ours] == []


def test_a_reader_meets_these_sentences():
    with override("en-gb"):
        assert translated("This field is required.") == "Fill this in."
