"""What vouches for sources: secrets, signatures, topics with a certificate of their own, heartbeats."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from incidents.enums import TopicState
from incidents.intake import certificates, signing
from incidents.models import IntakeToken, TopicSubscription
from tests.factories.directory import NOON
from tests.factories.incidents import make_token

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
REASON = "A test"


def make_signed(
    name: str = "", *, kind: str = "json", signing_: str = "timed", **fields: Any
) -> tuple[IntakeToken, str, str]:
    """An address that asks for signatures: the token, the secret in its address, and the secret that it signs with."""
    token, secret = make_token(name, kind=kind, signing=signing_, **fields)
    return token, secret, signing.add_secret(token, by="system: tests", at=NOON, reason=REASON)


def signature(secret: str, body: bytes, *, at: datetime = NOON) -> dict[str, str]:
    """The header of a delivery that is signed with its time."""
    time = int(at.timestamp())
    mac = hmac.new(secret.encode(), f"{time}.".encode() + body, hashlib.sha256).hexdigest()
    return {signing.HEADER: f"t={time},v1={mac}"}


@cache
def key() -> rsa.RSAPrivateKey:
    """The key that the tests' own topics sign with."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate() -> str:
    """Its certificate, good for a year around NOON."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key().public_key())
    built = (
        built.serial_number(1).not_valid_before(NOON - timedelta(days=180)).not_valid_after(NOON + timedelta(days=180))
    )
    return built.sign(key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def envelope(message: object = None, *, version: str = "2", **changes: Any) -> dict[str, Any]:
    """A signed message of the topic; `message` is an alarm, which goes into it as text."""
    sent = {
        "Type": "Notification", "MessageId": "m-1", "TopicArn": TOPIC, "Subject": "ALARM",
        "Message": json.dumps(alarm() if message is None else message), "Timestamp": "2026-11-17T12:00:00.000Z",
        "SignatureVersion": version, "SigningCertURL": CERTIFICATE_URL, **changes,
    }  # fmt: skip
    method = hashes.SHA1() if version == "1" else hashes.SHA256()
    made = key().sign(certificates.signed_text(sent), padding.PKCS1v15(), method)
    return sent | {"Signature": base64.b64encode(made).decode()}


def asking(**changes: Any) -> dict[str, Any]:
    """A signed message in which a topic asks to post here."""
    url = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"
    return envelope("Confirm", **{"Type": "SubscriptionConfirmation", "Token": "abc", "SubscribeURL": url, **changes})


def alarm(state: str = "ALARM", **changes: Any) -> dict[str, Any]:
    """An alarm of CloudWatch."""
    dimensions = [{"name": "QueueName", "value": "mail"}]
    return {
        "AlarmName": "queue-too-long",
        "AlarmDescription": "The queue grows",
        "AWSAccountId": "123456789012",
        "NewStateValue": state,
        "NewStateReason": "Threshold crossed",
        "StateChangeTime": "2026-11-17T11:58:00.000+0000",
        "Trigger": {"MetricName": "Depth", "Namespace": "AWS/SQS", "Dimensions": dimensions},
    } | changes


def event(state: str = "ALARM", **changes: Any) -> dict[str, Any]:
    """The same alarm as EventBridge tells it."""
    metric = {"namespace": "AWS/SQS", "name": "Depth", "dimensions": {"QueueName": "mail"}}
    return {
        "version": "0",
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "123456789012",
        "region": "eu-west-1",
        "detail": {
            "alarmName": "queue-too-long",
            "configuration": {
                "description": "The queue grows",
                "metrics": [{"id": "m1", "metricStat": {"metric": metric, "period": 60, "stat": "Maximum"}}],
            },
            "state": {"value": state, "reason": "Threshold crossed", "timestamp": "2026-11-17T11:58:00.000+0000"},
            "previousState": {"value": "OK"},
        },
    } | changes


def make_topic(
    token: IntakeToken, *, state: str = TopicState.CONFIRMED, pinned: bool = True, **fields: Any
) -> TopicSubscription:
    """A topic at an address, by default confirmed and with its certificate pinned."""
    if state == TopicState.CONFIRMED:
        fields = {"confirmed_at": NOON, "confirmed_by": "system: tests"} | fields
    return TopicSubscription.objects.create(
        token=token, topic=TOPIC, state=state, asked_at=NOON, certificate=certificate() if pinned else "", **fields
    )
