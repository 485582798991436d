"""Whether somebody wrote something."""

from __future__ import annotations

import unicodedata

# Letters and signs by their category, and yet drawn as nothing: Hangul fillers and the empty Braille pattern.
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_UNSEEN = frozenset("ZCM")  # spaces and lines, control and format characters, marks upon a letter that is missing


def is_blank(text: str) -> bool:
    """Tell whether nothing of a text is to be seen.

    Categories are those of Unicode (Unicode Standard, section 4.5): a space of no width is a format character.
    """
    return all(sign in _FILLERS or unicodedata.category(sign)[0] in _UNSEEN for sign in text)
