"""What looks like a secret, and what only looks like its name."""

import pytest

from portal.runbooks.markdown.secrets import looks_like_secret

REAL = [
    "key: AKIA" + "Q4ZT7XB2MN8K5WPD",
    "export TOKEN=ghp_" + "a1B2c3" * 6,
    "glpat-" + "x7Yz" * 6,
    "-----BEGIN RSA PRIVATE KEY-----",
    "postgres://desk:s3cretP4ss" + "@db.example.org/desk",
    "api_key = 'k9Xp2mQ7" + "vT4nL8wR'",
    "https://hooks.slack.com/services/T0AB12CD3/B0AB12CD3/" + "a1B2c3D4" * 3,
    "password: Tr0ub4dor" + "&3x9",
]
HARMLESS = [
    *("The password is in the vault", "DB_PASSWORD", "password: <from the vault>", "token=$TOKEN", "secret: changeme"),
    *(
        "aws iam delete-access-key --access-key-id AKIAXXXXXXXXXXXXXXXX",
        "postgres://USER:PASSWORD@HOST/db",
        "secret: none",
    ),
    *(
        "kubectl get secret desk-tls -o yaml",
        "api_key: your_api_key_here",
        "https://example.org/a:b@c",
        "Set SECRET_KEY_BASE",
    ),
    "password = os.environ['DB_PASSWORD']",
]


@pytest.mark.parametrize("line", REAL)
def test_a_secret_is_seen(line):
    assert looks_like_secret(line)


@pytest.mark.parametrize("line", HARMLESS)
def test_the_name_of_a_secret_is_none(line):
    assert looks_like_secret(line) == ""
