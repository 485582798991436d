"""Chat channels through Apprise: only the schemes of this lane, no redirects, one address for a delivery."""

from __future__ import annotations

import logging
import re
import warnings
from functools import cache

import apprise
from apprise.manager_plugins import NotificationManager
from django.conf import settings

from portal.notify.channels.base import DeliveryError, Parcel

ENABLED = ("ntfy", "ntfys", "slack", "workflows", "pover", "twilio")
LINK = re.compile(r"https?://\S+")
WORTH_ANOTHER_TRY = {"408", "425", "429"}  # RFC 9110 and RFC 6585: the client errors that pass by themselves


@cache
def _asset() -> apprise.AppriseAsset:
    """Load Apprise once, with every plugin but ours switched off: some of them write files or run programs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of plugins that are switched off again
        NotificationManager().enable_only(*ENABLED)
    logging.getLogger("apprise").propagate = False  # it names topics, which are secrets
    return apprise.AppriseAsset(app_id="Watchbook", async_mode=False, http_redirects=False, allow_templates=False)


class ChatChannel:
    """Sends to one kind of chat service.

    An address has the `form` of its kind, else it begins with one of `starts` and says nothing after a question mark:
    further addresses, files and templates can be named there. `options` are said to Apprise with each address,
    `when_urgent` those of an urgent message. With `markdown` the service shows links and lines only when marked.
    """

    def __init__(
        self,
        name: str,
        *,
        starts: tuple[str, ...] = (),
        form: re.Pattern[str] | None = None,
        options: str = "",
        when_urgent: str = "",
        markdown: bool = False,
    ) -> None:
        self.name = name
        self.starts, self.form = starts, form
        self.options, self.when_urgent, self.markdown = options, when_urgent, markdown
        self.asset = _asset()

    def send(self, parcel: Parcel) -> None:
        """Deliver the parcel to its one address. Nothing of the address appears in an error."""
        service = self._service(parcel.address, self.when_urgent if parcel.urgent else "")
        text, form = parcel.text, apprise.NotifyFormat.TEXT
        if self.markdown:
            text, form = LINK.sub(r"[\g<0>](\g<0>)", text.replace("\n", "\n\n")), apprise.NotifyFormat.MARKDOWN
        with apprise.LogCapture(level=logging.WARNING, fmt="%(message)s") as captured:
            accepted = service.notify(title=parcel.title, body=text, body_format=form)
            said = captured.getvalue()
        if not accepted:
            raise self._explained(said)

    def close(self) -> None:
        """Nothing is kept open."""

    def _fits(self, address: str) -> bool:
        if self.form is not None:
            return self.form.fullmatch(address) is not None
        return address.startswith(self.starts) and "?" not in address

    def _service(self, address: str, more: str = "") -> apprise.NotifyBase:
        service = None
        if self._fits(address):
            options = "&".join(filter(None, [self.options, more]))
            said = f"{address}{'&' if '?' in address else '?'}{options}" if options else address
            service = apprise.Apprise.instantiate(said, asset=self.asset)
        if service is None:
            raise DeliveryError(f"This is not an address of {self.name}. Correct the contact method.", permanent=True)
        return self._bounded(service)

    def _bounded(self, service: apprise.NotifyBase) -> apprise.NotifyBase:
        """Keep the service from following redirects and from waiting for ever."""
        service.redirects = False
        service.socket_connect_timeout = service.socket_read_timeout = float(settings.EMAIL_TIMEOUT)
        return service

    def _explained(self, said: str) -> DeliveryError:
        code = re.search(r"error=(\d{3})", said)
        if code is None:
            return DeliveryError(f"{self.name} cannot be reached.", everywhere=True)
        permanent = code[1].startswith("4") and code[1] not in WORTH_ANOTHER_TRY
        return DeliveryError(f"{self.name} did not accept the message: error {code[1]}.", permanent=permanent)
