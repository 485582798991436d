"""What can be approved: each kind of record says how it is shown and who decides on it by default.

The parts of the portal that own a record register it when the portal starts; nothing here knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet

from portal.accounts.models import User
from portal.approvals.shown import Fact, canonical, digest, fact


@dataclass(frozen=True, slots=True)
class DefaultStage:
    """A stage as it is loaded into an empty portal: its name, the name of the role that decides, how many must."""

    name: str
    role: str
    needed: int = 1


def never(_subject: Any) -> bool:
    """Return that a record is no exercise: most kinds know none."""
    return False


@dataclass(frozen=True, slots=True)
class Variant:
    """Another rule for some records of a kind, such as for normal changes of high risk: its name in rules, its label,
    and what an empty portal begins with. `decide_within` is in hours.
    """

    slug: str
    label: str
    stages: Sequence[DefaultStage]
    decide_within: int = 72


def nobody(_subject: Any) -> User | None:
    """Return nobody: most records are not carried out by one person."""
    return None


def plain(_subject: Any) -> str:
    """Return no text: most kinds have one rule for all their records, and can be asked for at any time."""
    return ""


def open_to_readers(_subject: Any, _shown: str) -> str:
    """Return no text: the words of most kinds are never kept back."""
    return ""


def no_authors(_pk: int) -> frozenset[int]:
    """Return nobody: most records keep no list of who wrote what they say."""
    return frozenset()


def for_all(_user_id: int) -> Q:
    """Return no condition: of most records only requester and implementer do not decide."""
    return Q()


@dataclass(frozen=True, slots=True)
class Approvable:
    """One kind of record that can be approved.

    `kind` is its name in addresses and rules. `facts` returns all that matters of one record, in words, the rows that
    belong to it included: whatever is left out can be changed without voiding an approval. `rows` returns the records
    with what `facts` reads, so that many are read in a fixed number of queries. `url` is where a record is looked at.
    `implementer` returns the account that carries it out, where the record itself names one; where nobody carries
    anything out, as with a message, `carried_out` is false and nobody is named. `stages` and
    `decide_within` (hours) are what an empty portal begins with. `lasting` says whether every record of the kind should
    stand approved, as a policy should; one that is approved in passing, such as a message, is asked for by its own
    pages. `is_drill` says of one record whether it belongs to an exercise; its request and messages about it say so.
    `requester` returns the account that wants it, where the record names one: they never decide, whoever
    asks in their name. `authors` returns the accounts that edited the record of that number since it was handed in:
    they decide on it no more than its requester. `vouchers` returns the accounts on whose word it went ahead before
    anybody decided: they do not decide afterwards; it is asked for although nobody else could. `not_for` returns the
    same by account: which requests (`subject_id`) are of records on which that account, for one of these two, does
    not decide.
    `not_yet` returns why a record cannot be asked for as it stands, "" when it can;
    `held_up` why it cannot be approved just now, such as in a freeze.
    `kept_back` returns why the words of a request may not be read just now, "" when they may: it is given the record
    and the words. Until then they are shown nowhere and decided on by nobody.
    `variants` are further rules of the kind, and `variant_of` names the one that counts for a record.
    """

    kind: str
    model: type[models.Model]
    label: str
    facts: Callable[[Any], Iterable[Fact]]
    rows: Callable[[], QuerySet[Any]]
    url: Callable[[Any], str]
    stages: Sequence[DefaultStage]
    decide_within: int = 72
    lasting: bool = True
    implementer: Callable[[Any], User | None] = nobody
    carried_out: bool = True
    is_drill: Callable[[Any], bool] = never
    requester: Callable[[Any], User | None] = nobody
    authors: Callable[[int], frozenset[int]] = no_authors
    vouchers: Callable[[int], frozenset[int]] = no_authors
    not_for: Callable[[int], Q] = for_all
    not_yet: Callable[[Any], str] = plain
    held_up: Callable[[Any], str] = plain
    kept_back: Callable[[Any, str], str] = open_to_readers
    variants: Sequence[Variant] = ()
    variant_of: Callable[[Any], str] = plain

    def shown(self, subject: Any) -> str:
        """Return the canonical text of one record: which it is, then all that matters of it."""
        return canonical([fact("Record", f"{self.label} {subject.pk}"), *self.facts(subject)])

    def title(self, subject: Any) -> str:
        """Return how a request calls one record: its name, led by its kind where the name does not say it."""
        name = str(subject)
        said = name.lower().startswith(self.label.lower())
        return name if said else f"{self.label[:1].upper()}{self.label[1:]} {name}"

    def digest(self, subject: Any) -> str:
        """Return the digest of the canonical text of one record."""
        return digest(self.shown(subject))

    def read(self, pk: int) -> Any | None:
        """Return one record with what is shown of it, read now; nothing when it is gone."""
        return self.rows().filter(pk=pk).first()

    def may_ask(self, user: Any) -> bool:
        """Tell whether `user` may ask for approval of such records: whoever may change them."""
        meta = self.model._meta
        return bool(user.is_active and user.has_perm(f"{meta.app_label}.change_{meta.model_name}"))


_kinds: dict[str, Approvable] = {}


def register(approvable: Approvable) -> None:
    """Add a kind of record. ValueError is raised when its name or its model is taken by another."""
    standing = _kinds.get(approvable.kind) or of_model(approvable.model)
    if standing is not None and standing != approvable:
        raise ValueError(f"{approvable.kind} is registered already, or another kind has its model.")
    _kinds[approvable.kind] = approvable


def kinds() -> list[Approvable]:
    """Return every kind, in the order of their names."""
    return sorted(_kinds.values(), key=lambda one: one.kind)


def of_kind(kind: str) -> Approvable | None:
    """Return the kind of that name."""
    return _kinds.get(kind)


def of_model(model: type[models.Model]) -> Approvable | None:
    """Return the kind of a model's records; nothing when they are not approved."""
    return next((one for one in _kinds.values() if one.model is model), None)


def of_subject(subject: models.Model) -> Approvable | None:
    """Return the kind of a record."""
    return of_model(type(subject))


def variant_choices() -> list[tuple[str, str]]:
    """Return the variants of all kinds as a form offers them."""
    return [(one.slug, one.label) for kind in kinds() for one in kind.variants]


def kind_choices() -> list[tuple[str, str]]:
    """Return the kinds as a form offers them."""
    return [(one.kind, one.label[:1].upper() + one.label[1:]) for one in kinds()]
