"""A sample that follows from its seed alone, drawn while the population goes by."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from portal.assurance.packets.sampling import Sample


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20), st.integers(0, 30),
       st.integers(0, 120))  # fmt: skip
def test_it_is_what_anybody_draws_with_sha_256(seed, size, count):
    sample = Sample(seed, size)
    for number in range(1, count + 1):
        sample.offer(number, f"row {number}")
    ranked = sorted(range(1, count + 1), key=lambda n: hashlib.sha256(f"{seed}:{n}".encode()).hexdigest())
    assert sample.drawn() == {number: f"row {number}" for number in sorted(ranked[:size])}


def test_it_is_spread_evenly():
    hits = [0] * 10
    for seed in range(400):
        sample = Sample(str(seed), 10)
        for number in range(1, 101):
            sample.offer(number, None)
        for number in sample.drawn():
            hits[(number - 1) // 10] += 1
    assert sum(hits) == 4000
    assert all(330 < hit < 470 for hit in hits)
