"""Times as people promise them."""

import pytest

from portal.runbooks.markdown.times import minutes_of


@pytest.mark.parametrize(("words", "minutes"), [
    ("4 hours", 240), ("≤ 24 h", 1440), ("**30 minutes**", 30), ("< 15 min", 15), ("90m", 90), ("1 h 30 min", 90),
    ("2 days", 2880), ("0", 0), ("none", 0), ("up to 2 hrs", 120), ("1.5 h", 90), ("at most 1 week", 10080),
])  # fmt: skip
def test_one_time_is_understood(words, minutes):
    assert minutes_of(words) == minutes


@pytest.mark.parametrize("words", [
    "4h business-hours / 8h after-hours", "7-14 days", "Test pending", "1 working day (best effort)", "",
    "5 minutes (continuous replication)", "as soon as possible", "Next business day", "24", "Tier 1: 1 h, tier 2: 4 h",
])  # fmt: skip
def test_what_is_not_one_time_is_not_guessed(words):
    assert minutes_of(words) is None
