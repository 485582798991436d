"""How often an account may prove itself wrongly: counts in the database, whichever worker is asked.

django-axes counts wrong passwords at the sign-in for each name and address, and locks that address. Here every wrong
proof of one account counts together, from wherever it comes: a code at the second step, a password or code at
/confirm/, the old password of a new one. And, slower, wrong passwords of one name from all addresses together.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from portal.accounts.models import SignIn, SignInTries, User
from portal.lib import durations


class TooManyProofs(Exception):
    """The account was proved wrongly too often; `wait` says for how long nothing more is believed."""

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        super().__init__(
            f"There were too many wrong answers. Wait {_minutes(wait)}, or ask an administrator to unlock your sign-in."
        )


class TooManyTries(Exception):
    """Too many passwords did not fit one user name; `wait` says for how long no other one is looked at."""

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        super().__init__(
            f"Many wrong passwords were tried for this user name. Wait {_minutes(wait)}, then try again. From an "
            "address that you signed in from lately you need not wait, and an administrator can unlock it."
        )


def _minutes(wait: timedelta) -> str:
    minutes = max(1, -(-int(wait.total_seconds()) // 60))
    return "a minute" if minutes == 1 else f"{minutes} minutes"


def spend(user: User, *, at: datetime) -> None:
    """Count one try before it is looked at, so that tries at the same time are counted too.

    TooManyProofs is raised when none is left. A try that proves right gives them all back: see `forget`.
    """
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        since = account.proofs_refused_since
        if since is None or since + settings.PROOFS_WINDOW <= at:
            account.proofs_refused, account.proofs_refused_since = 0, at
        elif account.proofs_refused >= settings.PROOFS_LIMIT:
            raise TooManyProofs(since + settings.PROOFS_WINDOW - at)
        account.proofs_refused += 1
        account.save(update_fields=["proofs_refused", "proofs_refused_since"])


def forget(user: User) -> bool:
    """Forget the account's wrong proofs; return whether they had locked it."""
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        locked = account.proofs_refused >= settings.PROOFS_LIMIT
        account.proofs_refused, account.proofs_refused_since = 0, None
        account.save(update_fields=["proofs_refused", "proofs_refused_since"])
    return locked


def is_spent(user: User, *, at: datetime) -> bool:
    """Tell whether the next try would be refused unseen."""
    since = user.proofs_refused_since
    return since is not None and at < since + settings.PROOFS_WINDOW and user.proofs_refused >= settings.PROOFS_LIMIT


# Passwords of one user name, from all addresses together. There is no lock here, only a wait that grows up to a cap:
# nobody keeps somebody else out for good, least of all from a place that the account is known to sign in from.


def try_name(name: str, address: str, *, at: datetime) -> SignInTries:
    """Count one try of a user name before its password is looked at, and return the count that it is part of.

    TooManyTries is raised while the next try has to wait; it is not counted then, so that nobody prolongs the wait.
    """
    with transaction.atomic():
        SignInTries.objects.filter(last__lte=at - settings.SIGN_IN_WINDOW).delete()
        key = {"name": _digest(name), "place": _place(name, address, at=at)}
        count, _ = SignInTries.objects.select_for_update().get_or_create(**key, defaults={"last": at})
        wait = count.last + wait_after(count.tries) - at
        if wait > timedelta(0):
            raise TooManyTries(wait)
        count.tries, count.last = count.tries + 1, at
        count.save(update_fields=["tries", "last"])
    return count


def wait_after(tries: int) -> timedelta:
    """Return how long the next try waits after so many wrong ones: twice as long each time, up to the cap."""
    beyond = tries - settings.SIGN_IN_TRIES
    if beyond < 0:
        return timedelta(0)
    longest: timedelta = settings.SIGN_IN_LONGEST_WAIT
    return min(longest, settings.SIGN_IN_FIRST_WAIT * 2 ** min(beyond, 20))


def told_wait(count: SignInTries) -> str:
    """Return what the trail says of the wait that a wrong try begins; nothing while there is none."""
    wait = wait_after(count.tries)
    return f"the next try by that name waits {durations.words(wait.total_seconds())}" if wait else ""


def fitted(count: SignInTries) -> None:
    """Give a try back that was right. Only where the account is known are the wrong ones before it forgotten too."""
    found = SignInTries.objects.filter(pk=count.pk)
    if count.place:
        found.delete()
    else:
        found.filter(tries__gt=0).update(tries=F("tries") - 1)


def forget_name(name: str) -> int:
    """Forget every wrong try of a user name; return how many counts went."""
    gone, _ = SignInTries.objects.filter(name=_digest(name)).delete()
    return gone


def waits(name: str, *, at: datetime) -> bool:
    """Tell whether tries of this user name wait somewhere, or would after the next wrong one."""
    tried = SignInTries.objects.filter(name=_digest(name), last__gt=at - settings.SIGN_IN_WINDOW)
    return tried.filter(tries__gte=settings.SIGN_IN_TRIES).exists()


def _digest(name: str) -> str:
    return salted_hmac("portal.accounts.throttle.name", name, algorithm="sha256").hexdigest()


def _place(name: str, address: str, *, at: datetime) -> str:
    """Return the network of an address from which the account signed in lately; "" for every other one."""
    here = _network(address)
    lately = SignIn.objects.filter(username=name, attempt_time__gt=at - settings.SIGN_IN_KNOWN).order_by()
    known = lately.values_list("ip_address", flat=True).distinct()
    return here if here and here in {_network(found or "") for found in known} else ""


def _network(address: str) -> str:
    """Return the address; of IPv6 the network of 64 bits, within which one machine changes its address every day."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else str(found)
