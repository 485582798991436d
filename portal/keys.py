"""The key that signs heads of the record: from the environment, from a file, else made in the data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from portal.environment import SettingsProblem, kept_secret, read

SEED_BYTES = 32
MAKING = 'python3 -c "import secrets; print(secrets.token_hex(32))"'


def seal_key(folder: Path) -> bytes:
    """Return the Ed25519 seed: SEAL_KEY, the content of SEAL_KEY_FILE, else of the file in the data folder."""
    found = read("SEAL_KEY", b"", _seed, expected=f"64 hexadecimal digits; take the output of: {MAKING}")
    if found:
        return found
    named = os.environ.get("SEAL_KEY_FILE", "").strip()
    path = Path(named) if named else kept_in(folder)
    try:
        return _seed(path.read_text().strip() if named else kept_secret(path, _new))
    except (OSError, ValueError) as problem:
        raise SettingsProblem(
            f"{path} holds no usable key. It must hold 64 hexadecimal digits and be readable by the portal. Put back "
            "the copy that you keep, or see docs/operator.md for a new one."
        ) from problem


def kept_in(folder: Path) -> Path:
    """Return the file of the key in the data folder."""
    return folder / "seal-key"


def public_keys(name: str) -> list[str]:
    """Return public keys in hexadecimal, separated by commas."""

    def convert(raw: str) -> list[str]:
        return [_seed(word.strip()).hex() for word in raw.split(",") if word.strip()]

    nothing: list[str] = []
    return read(name, nothing, convert, expected="public keys of 64 hexadecimal digits, separated by commas")


def renew(folder: Path) -> None:
    """Put a new key in place of the one in the data folder. Processes that run keep the old one until restarted."""
    path = kept_in(folder)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(_new())
    draft.replace(path)


def _new() -> str:
    return secrets.token_hex(SEED_BYTES)


def _seed(raw: str) -> bytes:
    seed = bytes.fromhex(raw)
    if len(seed) != SEED_BYTES:
        raise ValueError(len(seed))
    return seed
