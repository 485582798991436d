"""The signatures of Amazon SNS: whose addresses are believed, what is fetched from them, what a signature proves."""

from __future__ import annotations

import base64
import binascii
import re
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SECONDS = 5.0
LARGEST = 64 * 1024
MOST_KEPT = 20
HOST = re.compile(r"sns\.[a-z]{2}(-[a-z]+)+-\d\.amazonaws\.com(\.cn)?")
HASHES: Mapping[str, type[hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_kept: dict[str, str] = {}


class OutOfReach(Exception):
    """AWS could not be asked."""


class NotSigned(ValueError):
    """What AWS did not sign, with the sentence that says why it is not believed."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Only what was looked at before is fetched, and nothing that it leads to."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Refuse: the answer then counts as a failure."""


_opener = urllib.request.build_opener(_NoRedirects)


def is_of_aws(address: object, *, ending: str = "") -> bool:
    """Tell whether an address is https, of SNS itself, without port or user, and its path ends so."""
    if not isinstance(address, str) or not address.isascii() or len(address) > 2000:
        return False
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        return False
    plain = url.scheme == "https" and port is None and "@" not in url.netloc
    return plain and HOST.fullmatch(url.hostname or "") is not None and url.path.endswith(ending)


def confirms(address: object, topic: str) -> bool:
    """Tell whether an address of SNS confirms a subscription to this topic, and does nothing else."""
    if not isinstance(address, str) or not is_of_aws(address):
        return False
    asked = parse_qs(urlsplit(address).query)
    return asked.get("Action") == ["ConfirmSubscription"] and asked.get("TopicArn") == [topic]


def fetch(address: str) -> bytes:
    """Return what stands at an address that was looked at before; OutOfReach is raised for any other outcome."""
    if not is_of_aws(address):
        raise OutOfReach("the address is none of SNS")
    try:
        with _opener.open(address, timeout=SECONDS) as answer:
            found: bytes = answer.read(LARGEST + 1)
    except (OSError, HTTPException, ValueError) as problem:
        raise OutOfReach(type(problem).__name__) from problem
    if len(found) > LARGEST:
        raise OutOfReach("the answer is too long")
    return found


def certificate_at(address: object) -> str:
    """Return the certificate at an address, fetched once by each process. NotSigned refuses what is none of SNS."""
    if not isinstance(address, str) or not is_of_aws(address, ending=".pem"):
        raise NotSigned("SigningCertURL is none of SNS, so the signature is not believed.")
    if address not in _kept:
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[address] = fetch(address).decode(errors="replace")
    return _kept[address]


def read(pem: str) -> x509.Certificate:
    """Return a certificate with an RSA key; NotSigned is raised for anything else."""
    try:
        found = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise NotSigned("This is no certificate. Paste all of it, from BEGIN CERTIFICATE to END CERTIFICATE.") from None
    if not isinstance(found.public_key(), rsa.RSAPublicKey):
        raise NotSigned("The certificate holds no RSA key, which SNS signs with.")
    return found


def verify(data: Mapping[str, object], pem: str, *, at: datetime) -> None:
    """Raise NotSigned unless the envelope is signed by the key of a certificate that is good at that moment."""
    certificate = read(pem)
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise NotSigned("The certificate of the signature is not good at this time.")
    method = HASHES.get(str(data.get("SignatureVersion")))
    if method is None:
        raise NotSigned("SignatureVersion must be 1 or 2.")
    try:
        signature = base64.b64decode(str(data.get("Signature")), validate=True)
        certificate.public_key().verify(signature, signed_text(data), padding.PKCS1v15(), method())  # type: ignore[union-attr, call-arg, arg-type]
    except (InvalidSignature, binascii.Error, ValueError):
        raise NotSigned("The signature is not that of this message. Nothing was taken in.") from None


def signed_text(data: Mapping[str, object]) -> bytes:
    """Return the text that SNS signs: the fields of the type, each with its value, a line each."""
    names = SIGNED.get(str(data.get("Type")), ())
    return "".join(f"{name}\n{data[name]}\n" for name in names if data.get(name) is not None).encode()
