from portal.lib.digests import digest, new_secret


def test_secrets_differ_and_may_stand_in_an_address():
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) >= 32 and secret.replace("-", "").replace("_", "").isalnum() for secret in secrets)


def test_a_digest_is_the_same_for_the_same_secret_alone():
    assert digest("a") == digest("a") != digest("b")
    assert len(digest("a")) == 64
