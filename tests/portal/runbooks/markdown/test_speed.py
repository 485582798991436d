"""What is long or strange is read in a time that grows with its length: nobody stops the portal with a file."""

import time

import pytest

from portal.runbooks.markdown.reporting import read_file

STRANGE = [
    *("- a line of text\n" * 10000, "a: b\n" * 10000, "```\n" * 10000, "# a\n" * 10000, "1 a\n2 b\n" * 10000),
    *("eyJ" * 60000, "a-" * 60000, "a." * 60000, "`|" * 60000, "|-" * 60000 + "x", "| " + "-" * 100000 + " x"),
    *("**a" * 40000, "- [ ]" * 40000, "password" * 20000, "https://" * 20000, "(" * 60000, "# " + "[(" * 40000),
    *("step 1 " * 20000, "rto " * 30000, " " * 100000 + "a", "â‰" * 50000, "<!--" * 30000, "<<EOF\n" * 10000),
]


@pytest.mark.parametrize("text", STRANGE, ids=lambda text: repr(text[:8]))
def test_nothing_takes_long(text):
    began = time.process_time()
    read_file("strange.md", text.encode())
    assert time.process_time() - began < 20
