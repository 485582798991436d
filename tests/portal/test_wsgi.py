"""The web process as it starts: whatever every request needs stands before the first one comes."""

import json
import subprocess
import sys

import pytest
from django.conf import settings

LOOK = """
import json, sys
import portal.wsgi
from django.urls import get_resolver, resolvers
known = resolvers.URLResolver._populate
calls = []
resolvers.URLResolver._populate = lambda self: (calls.append(1), known(self))
from django.urls import reverse
reverse("incidents:list"), reverse("maintenance:windows"), reverse("admin:index")
print(json.dumps({"populated": len(calls), "gives_way": sys.getswitchinterval()}))
"""


@pytest.mark.slow
def test_addresses_are_known_before_the_first_request_and_threads_give_way_soon(tmp_path):
    environment = {"PATH": "", "PORTAL_DATA": str(tmp_path), "PORTAL_ENV_FILE": ""}
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=settings.BASE_DIR, env=environment, capture_output=True, check=True,
        timeout=120,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["populated"] == 0
    assert found["gives_way"] <= 0.001
