"""The ways out of the portal. One lane each: what hangs in one never delays another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from portal.directory.enums import MethodKind
from portal.directory.validators import PUSHOVER, TEAMS
from portal.notify.channels.base import Channel, DeliveryError, Parcel, within
from portal.notify.channels.chat import ChatChannel
from portal.notify.channels.mail import MailChannel
from portal.notify.channels.telephone import TelephoneChannel

__all__ = ["CHANNELS", "Channel", "DeliveryError", "Parcel", "within"]

# The lane of a message is the kind of the contact method or channel that it goes to.
CHANNELS: dict[str, Callable[[], Channel]] = {
    MethodKind.EMAIL.value: MailChannel,
    MethodKind.NTFY.value: partial(ChatChannel, "ntfy", starts=("ntfy://", "ntfys://")),
    MethodKind.SLACK.value: partial(ChatChannel, "Slack", starts=("slack://", "https://hooks.slack.com/services/")),
    # A card would load its picture from outside.
    MethodKind.TEAMS.value: partial(ChatChannel, "Microsoft Teams", form=TEAMS, options="image=no", markdown=True),
    MethodKind.PUSHOVER.value: partial(ChatChannel, "Pushover", form=PUSHOVER, when_urgent="priority=high"),
    MethodKind.SMS.value: partial(TelephoneChannel, "sms"),
    MethodKind.VOICE.value: partial(TelephoneChannel, "call"),
}
