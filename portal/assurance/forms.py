"""The forms of engagements and reviews. Each acts once and names its reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG, ROLES
from portal.assurance.backends import AUDITOR
from portal.assurance.enums import Register, ReviewKind
from portal.assurance.models import Review
from portal.assurance.periods import period_before
from portal.assurance.services.holdings import Scope
from portal.assurance.services.people import reviewing_accounts, reviewing_roles
from portal.assurance.services.planning import zone
from portal.directory.models import System
from portal.lib.choosing import LONGEST_KEY, ManyField
from portal.lib.moments import MomentField
from portal.lib.once import OnceForm, once_field
from portal.lib.visibility import restricted_models
from portal.lib.widgets import Day

LONGEST_REASON = 1000
AGAIN = "Open the page again, then do it once more."


def reason_field(label: str = "Reason", *, help_text: str = "Kept for good.", required: bool = True) -> forms.CharField:
    """Return a field for words that are kept."""
    return forms.CharField(
        label=label,
        required=required,
        max_length=LONGEST_REASON,
        help_text=help_text,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say why, in a sentence.", "max_length": "Keep it under 1,000 characters."},
    )


def end_of(day: Any) -> datetime | None:
    """Return the midnight after a day in the reader's zone."""
    return None if day is None else _midnight(day + timedelta(days=1))


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))  # noqa: DTZ001 - made aware of the reader's zone


class ReviewForm(OnceForm):
    """A form of the auditors' pages: it acts once."""

    once = once_field(AGAIN)


class OneField(forms.ModelChoiceField):
    """One record of a list. A key too large for the database is not in the list."""

    def to_python(self, value: Any) -> Any:
        """Return the record; ValidationError is raised for what is not in the list."""
        if isinstance(value, str) and len(value) > LONGEST_KEY:
            raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice")
        return super().to_python(value)


class Boxes(forms.CheckboxSelectMultiple):
    """Several choices as boxes to tick."""


class GrantForm(ReviewForm):
    """What an auditor may read, and until when."""

    auditor = OneField(
        User.objects.none(),
        label="Auditor",
        help_text="Accounts with the role Auditor. Nobody grants an engagement to themselves.",
        error_messages={"required": "Choose who reads.", "invalid_choice": "Choose an auditor from the list."},
    )
    title = forms.CharField(max_length=200, help_text="Such as: Surveillance audit, autumn 2026.")
    starts = MomentField(label="Reads from", required=False, help_text="Empty means from now on.")
    ends = MomentField(label="Reads until", error_messages={"required": "Say until when."})
    registers = forms.MultipleChoiceField(
        label="Kinds of records",
        choices=Register.choices,
        widget=Boxes,
        error_messages={"required": "Choose at least one kind of record.", "invalid_choice": "Choose from the list."},
    )
    systems = ManyField(System.objects.none(), required=False, widget=Boxes, help_text="None ticked means all systems.")
    records_from = forms.DateField(
        label="Records from", required=False, widget=Day, help_text="The first day of which records are read."
    )
    records_to = forms.DateField(
        label="Records to", required=False, widget=Day, help_text="The last day. Empty means all time."
    )
    reason = reason_field("Why", help_text="Kept for good, and shown to the auditor.")

    def __init__(self, *args: Any, user: User, at: datetime, **options: Any) -> None:
        start = {"registers": list(Register.values), "ends": timezone.localtime(at + timedelta(days=30))}
        options["initial"] = {**start, **(options.get("initial") or {})}
        super().__init__(*args, **options)
        people = User.objects.visible_to(user).filter(groups__name=BY_SLUG[AUDITOR].name, is_active=True)
        _offer(self, "auditor", people.exclude(pk=user.pk).order_by("last_name", "username"))
        _offer(self, "systems", System.objects.visible_to(user).filter(active=True).order_by("name"))

    def terms(self, at: datetime) -> dict[str, Any]:
        """Return what the form says, as the service takes it."""
        given = self.cleaned_data
        first = given["records_from"]
        return {
            "auditor": given["auditor"], "title": given["title"], "starts": given["starts"] or at,
            "ends": given["ends"], "registers": given["registers"], "systems": list(given["systems"]),
            "records_from": _midnight(first) if first else None, "records_until": end_of(given["records_to"]),
            "reason": given["reason"],
        }  # fmt: skip


class ReasonForm(ReviewForm):
    """An act that needs nothing but its reason."""

    reason = reason_field("Why")


class WordsForm(ReviewForm):
    """What is said about one item of a review; `needed` is the sentence for whoever says nothing where they must."""

    words = reason_field("In words", required=False)

    def __init__(self, *args: Any, label: str, help_text: str, needed: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["words"]
        field.label, field.help_text, field.required = label, help_text, bool(needed)
        field.error_messages["required"] = needed


class RecordForm(ReviewForm):
    """One restricted record, by its kind and its number or reference."""

    kind = forms.ChoiceField(label="Kind of record")
    record = forms.CharField(max_length=40, help_text="Its reference, such as INC-000042, or its number.")
    reason = reason_field("Why")

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user
        self.kinds = {model._meta.label_lower: model for model in restricted_models()}
        choices = [(label, str(model._meta.verbose_name).capitalize()) for label, model in self.kinds.items()]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Find the record among those that the granter may see."""
        given = super().clean() or {}
        model, words = self.kinds.get(given.get("kind", "")), str(given.get("record", "")).strip()
        if model is None or not words:
            return given
        rows = model._default_manager.all().visible_to(self.user)  # type: ignore[attr-defined]
        wanted = {"pk": words} if words.isdecimal() and len(words) < LONGEST_KEY else {"reference": words.upper()}
        known = "pk" in wanted or any(field.name == "reference" for field in model._meta.fields)
        found = rows.filter(**wanted).first() if known else None
        if found is None:
            raise ValidationError({"record": "You see no such record. Check its reference."})
        return {**given, "found": found}


class ReviewersForm(ReviewForm):
    """Who reviews, and until when."""

    reviewer_roles = forms.MultipleChoiceField(
        label="Roles that review", required=False, widget=Boxes, help_text="Everybody with one of them may decide."
    )
    reviewers = ManyField(
        User.objects.none(), label="People who review", required=False, widget=Boxes, help_text="Beside the roles."
    )
    due_at = MomentField(label="To be signed off by")
    reason = reason_field("Why")

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reviewer_roles"].choices = [(name, name) for name in reviewing_roles()]  # type: ignore[attr-defined]
        people = User.objects.visible_to(user).filter(pk__in=reviewing_accounts().values("pk"))
        _offer(self, "reviewers", people.order_by("last_name", "username"))

    def whom(self) -> dict[str, Any]:
        """Return reviewers, roles, due date and reason, as the services take them."""
        given = self.cleaned_data
        return {
            "reviewers": list(given["reviewers"]), "reviewer_roles": given["reviewer_roles"],
            "due_at": given["due_at"], "reason": given["reason"],
        }  # fmt: skip


class ChangesForm(ReviewersForm):
    """A review of the privileged changes of a period."""

    first = forms.DateField(label="From", widget=Day)
    last = forms.DateField(label="To", widget=Day, help_text="The last day; it must be over.")
    field_order = ("first", "last", "reviewer_roles", "reviewers", "due_at", "reason")

    def __init__(self, *args: Any, at: datetime, **options: Any) -> None:
        starts, ends = period_before(at, 1, zone())
        last = (ends - timedelta(microseconds=1)).date()
        options["initial"] = {"first": starts.date(), "last": last, **_start(at), **(options.get("initial") or {})}
        super().__init__(*args, **options)

    def terms(self) -> dict[str, Any]:
        """Return what the form says, as the service takes it. Days begin and end at midnight of the portal's zone."""
        first, last = self.cleaned_data["first"], self.cleaned_data["last"] + timedelta(days=1)
        days = [datetime(day.year, day.month, day.day, tzinfo=zone()) for day in (first, last)]
        return {"period_from": days[0], "period_until": days[1], **self.whom()}


class AccessForm(ReviewersForm):
    """A review of who holds what."""

    roles = forms.MultipleChoiceField(
        label="Roles", required=False, widget=Boxes, choices=[(role.name, role.name) for role in ROLES]
    )
    accounts = forms.BooleanField(label="Every account that may sign in, and superusers", required=False)
    contacts = forms.BooleanField(label="Emergency contacts of systems", required=False)
    engagements = forms.BooleanField(label="Engagements of auditors", required=False)
    field_order = (
        *("roles", "accounts", "contacts", "engagements", "reviewer_roles", "reviewers", "due_at", "reason"),
    )

    def __init__(self, *args: Any, at: datetime, **options: Any) -> None:
        ticked = {"roles": [role.name for role in ROLES], "accounts": True, "engagements": True}
        options["initial"] = {**ticked, **_start(at), **(options.get("initial") or {})}
        super().__init__(*args, **options)

    def terms(self) -> dict[str, Any]:
        """Return what the form says, as the service takes it."""
        given = self.cleaned_data
        scope = Scope(tuple(given["roles"]), given["accounts"], given["contacts"], given["engagements"])
        return {"scope": scope, **self.whom()}


FORMS: dict[str, type[ChangesForm] | type[AccessForm]] = {
    ReviewKind.CHANGES.value: ChangesForm,
    ReviewKind.ACCESS.value: AccessForm,
}


class HandOverForm(ReviewersForm):
    """Other reviewers, or another due date, for a review that runs."""

    def __init__(self, *args: Any, review: Review, **options: Any) -> None:
        options["initial"] = {
            "reviewer_roles": review.reviewer_roles,
            "reviewers": [user.pk for user in review.reviewers.all()],
            "due_at": timezone.localtime(review.due_at),
        }
        super().__init__(*args, **options)


class SignForm(ReviewForm):
    """The statement above a signature."""

    statement = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="It stands above your name for good.",
        error_messages={"required": "Say in a sentence what you attest."},
    )


def _start(at: datetime) -> dict[str, Any]:
    """Return what a form to begin a review shows at first: the roles that review, and two weeks."""
    return {
        "reviewer_roles": [BY_SLUG["security-lead"].name, BY_SLUG["manager"].name],
        "due_at": timezone.localtime(at + timedelta(days=14)).replace(hour=17, minute=0, second=0, microsecond=0),
    }


def _offer(form: forms.Form, name: str, rows: QuerySet[Any]) -> None:
    form.fields[name].queryset = rows  # type: ignore[attr-defined]
