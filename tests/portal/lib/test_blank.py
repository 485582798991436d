import pytest

from portal.lib.blank import is_blank


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\t\r\n",
        "\u00a0",
        "\u2003",
        "\u200b",
        "\u200b\u2060 ",
        "\ufeff",
        "\u00ad",
        "\x00",
        "\u3164",
        "\u2800",
        "\u0301",
    ],
)
def test_what_nobody_sees_is_blank(text):
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "\u200ba", ".", "…", "修", "é", "e\u0301", "🙂", "7"])
def test_what_is_seen_is_not(text):
    assert not is_blank(text)
