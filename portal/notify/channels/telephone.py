"""Text messages and telephone calls through the company's Twilio account, by Apprise."""

from __future__ import annotations

import re
from dataclasses import replace

import apprise
from django.conf import settings

from portal.directory.validators import PHONE
from portal.notify.channels.base import DeliveryError, Parcel
from portal.notify.channels.chat import ChatChannel

LONGEST = 1600  # characters of a text message that Twilio takes
# Errors of Twilio that name the number or the account, not the moment: 21211 is no number, 21610 wants no messages.
FOR_GOOD = re.compile(r"21\d{3}|20003|20404")


class TelephoneChannel(ChatChannel):
    """Sends to a telephone number: `way` is "sms", or "call" to have the title read out."""

    def __init__(self, way: str) -> None:
        super().__init__("Twilio", options=f"method={way}")
        self.way = way

    def send(self, parcel: Parcel) -> None:
        """Deliver the parcel to its one number."""
        if not settings.TWILIO_URL:
            raise DeliveryError("The portal has no Twilio account (TWILIO_URL).", permanent=True)
        super().send(replace(parcel, text=parcel.text[: LONGEST - len(parcel.title)]))

    def _fits(self, address: str) -> bool:
        return PHONE.fullmatch(address) is not None

    def _service(self, address: str, more: str = "") -> apprise.NotifyBase:
        if not self._fits(address):
            raise DeliveryError("This is not a telephone number. Correct the contact method.", permanent=True)
        number = re.sub(r"[^+0-9]", "", address)
        service = apprise.Apprise.instantiate(f"{settings.TWILIO_URL}/{number}?{self.options}", asset=self.asset)
        if service is None:
            raise DeliveryError("Twilio does not take this number. Correct the contact method.", permanent=True)
        return self._bounded(service)

    def _explained(self, said: str) -> DeliveryError:
        code = re.search(r"error=(\d{5})", said)
        if code is None:
            return super()._explained(said)
        permanent = FOR_GOOD.fullmatch(code[1]) is not None
        return DeliveryError(f"Twilio did not accept the message: error {code[1]}.", permanent=permanent)
