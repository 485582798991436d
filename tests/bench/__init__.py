"""Benchmarks: `python -m tests.bench [NAME ...]` prints one JSON object a line. They are not timed tests."""
