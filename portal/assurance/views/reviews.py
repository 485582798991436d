"""The pages of reviews: the list, one review, its items, its signature and its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts import stepup
from portal.accounts.requests import SignedIn
from portal.assurance import policy
from portal.assurance.enums import ReviewKind
from portal.assurance.forms import FORMS, HandOverForm, ReasonForm, SignForm, WordsForm
from portal.assurance.models import Review, ReviewItem
from portal.assurance.policy import Refused
from portal.assurance.selectors.review_list import lists_of
from portal.assurance.selectors.review_room import Filters, review_for, room_of
from portal.assurance.selectors.review_story import item_for, notable, result_of, review_of_own, story_of
from portal.assurance.services import deciding, opening, signing
from portal.assurance.services.once import done
from portal.audit.actor import acting
from portal.lib import clock
from portal.lib.once import OnceForm

REVIEWING = "assurance.change_review"
STARTING = "assurance.add_review"
MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb on one item as its page shows it. `name` is that of the policy's table."""

    name: str
    title: str
    label: str
    icon: str
    words: str
    help: str
    said: str
    danger: bool = False


VERBS: dict[str, Verb] = {
    "question": Verb(
        "question", "Question this change", "Send the question", "circle-help", "What you want to know",
        "Sent to whoever made the change. The item waits for the answer.", "Your question is on its way.",
    ),
    "answer": Verb(
        "answer", "Answer the question", "Send the answer", "message-square", "Your answer",
        "Sent to whoever asked, and kept with the review.", "Your answer is recorded.",
    ),
    "settle": Verb(
        "settle", "Settle the question", "Settle", "circle-check", "What settles it",
        "The change is in order. Kept with the review.", "The question is settled.",
    ),
    "follow-up": Verb(
        "follow up", "Have it followed up", "Follow up", "flag", "What is to be done, and by whom",
        "Sent to whoever made the change, and kept with the review.", "It is to be followed up.",
    ),
    "revoke": Verb(
        "revoke", "Revoke it", "Revoke", "circle-x", "Why it is revoked",
        "It is taken at once. The reason is kept with the account and with the review.", "It is revoked.", danger=True,
    ),
    "gone": Verb(
        "note as gone", "Note that it is no longer held", "Note as gone", "circle-minus", "What became of it",
        "Not needed. The trail shows it where it can.", "It is noted.",
    ),
}  # fmt: skip
SLUGS = {verb.name: slug for slug, verb in VERBS.items()}


@require_safe
@never_cache
@login_required
@permission_required("assurance.view_review", raise_exception=True)
def review_list(request: SignedIn) -> HttpResponse:
    """Show the open reviews, overdue ones first, those that are done, and what is asked of the reader."""
    at = clock.now()
    lists = lists_of(request.user, page=request.GET.get("page"), at=at)
    context = {"now": at, "lists": lists, "may_start": request.user.has_perm(STARTING)}
    return render(request, "assurance/reviews.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(STARTING, raise_exception=True)
def start(request: SignedIn, kind: str) -> HttpResponse:
    """Open a review on demand: of the privileged changes of a period, or of who holds what."""
    form_class = FORMS.get(kind)
    if form_class is None:
        raise Http404("There is no such kind of review.")
    at = clock.now()
    sent = request.method == "POST"
    form = form_class(request.POST if sent else None, user=request.user, at=at)
    if sent and form.is_valid():
        try:
            return _started(request, kind, form, at=at)
        except Refused as refused:
            form.add_error(None, str(refused))
    label = ReviewKind(kind).label
    return render(
        request, "assurance/review_start.html", {"now": at, "form": form, "kind": kind, "label": label},
        status=422 if sent else 200,
    )  # fmt: skip


def _started(request: SignedIn, kind: str, form: Any, *, at: datetime) -> HttpResponse:
    once = form.cleaned_data["once"]
    if done(once, request.user):
        return redirect("assurance:reviews")
    begin: Callable[..., Review] = opening.review_changes if kind == ReviewKind.CHANGES else opening.review_access
    with acting(by=request.user, once=once):
        made = begin(by=request.user, at=at, **form.terms())
    messages.success(request, f"{made.reference} is open, with {made.items_count:,} items.")
    return redirect(made)


def _review(request: SignedIn, reference: str) -> Review:
    found = review_for(request.user, reference)
    if found is None:
        raise Http404("There is no such review.")
    return found


@require_safe
@never_cache
@login_required
@permission_required("assurance.view_review", raise_exception=True)
def review(request: SignedIn, reference: str) -> HttpResponse:
    """Show one review: how far it is, and a page of its items with what the reader may do to each."""
    at = clock.now()
    found = _review(request, reference)
    room = room_of(found, request.user, Filters.of(request.GET), at=at)
    may = request.user.has_perm(REVIEWING)
    attestation = getattr(found, "attestation", None)
    context = {"now": at, "review": found, "room": room, "may_manage": may, "attestation": attestation}
    return render(request, "assurance/review.html", context)


@require_POST
@login_required
@permission_required(REVIEWING, raise_exception=True)
def attest(request: SignedIn, reference: str) -> HttpResponse:
    """Attest the items that were sent: one, or what is left on a page."""
    at = clock.now()
    found = _review(request, reference)
    numbers = _numbers(request)
    items = ReviewItem.objects.visible_to(request.user).filter(review=found, number__in=numbers)
    try:
        count = deciding.attest(found, items, by=request.user, at=at) if numbers else 0
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{count} item{'' if count == 1 else 's'} attested.")
        if left := len(numbers) - count:
            messages.warning(request, f"{left} could not be attested: decided meanwhile, or your own.")
    return redirect(f"{found.get_absolute_url()}{_query(request)}")


def _numbers(request: SignedIn) -> list[int]:
    """Return the numbers of the items that were sent, a page of them at most."""
    sent = dict.fromkeys(number for number in request.POST.getlist("items") if number.isdecimal() and len(number) < 9)
    return [int(number) for number in sent][:MOST_AT_ONCE]


def _query(request: SignedIn) -> str:
    """Return the filters of the page that a form was sent from, so that it leads back there."""
    return Filters.of(request.POST).address()


@require_safe
@never_cache
@login_required
def item(request: SignedIn, reference: str, number: int) -> HttpResponse:
    """Show one item: what changed, what was said about it; alone, or as a part of the review's page."""
    at = clock.now()
    found, one = _item(request, reference, number)
    context = {
        "now": at, "review": found, "item": one, "story": story_of(found, one, request.user, at=at), "verbs": VERBS,
        "slugs": SLUGS,
    }  # fmt: skip
    partial = request.headers.get("HX-Request") == "true"
    return render(request, "assurance/review_story.html" if partial else "assurance/review_item.html", context)


def _item(request: SignedIn, reference: str, number: int) -> tuple[Review, ReviewItem]:
    found = review_of_own(request.user, reference, number)
    one = item_for(request.user, found, number) if found is not None else None
    if found is None or one is None:
        raise Http404("There is no such item.")
    return found, one


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def decide(request: SignedIn, reference: str, number: int, verb: str) -> HttpResponse:
    """Show the form of a verb on one item, or carry it out. What does not fit is refused with its sentence."""
    chosen = VERBS.get(verb)
    found, one = _item(request, reference, number)
    if chosen is None or chosen.name not in policy.ITEMS[ReviewKind(found.kind)]:
        raise Http404("There is no such verb.")
    if verb != "answer" and not request.user.has_perm(REVIEWING):
        raise PermissionDenied
    at = clock.now()
    sent = request.method == "POST"
    needed = policy.WORDS.get(chosen.name, "")
    form = WordsForm(request.POST if sent else None, label=chosen.words, help_text=chosen.help, needed=needed)
    if sent and form.is_valid():
        if verb == "revoke" and not stepup.confirmed_recently(request):
            return stepup.ask(request)
        try:
            _decided(request, found, one, verb, form.cleaned_data, at=at)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{found.reference} item {one.number}: {chosen.said}")
            return redirect(_after(request, found, one))
    story = story_of(found, one, request.user, at=at)
    context = {"now": at, "review": found, "item": one, "story": story, "form": form, "verb": chosen}
    return render(request, "assurance/review_decide.html", context, status=422 if sent else 200)


def _decided(
    request: SignedIn, found: Review, one: ReviewItem, verb: str, given: dict[str, Any], *, at: datetime
) -> None:
    common: dict[str, Any] = {"words": given["words"], "by": request.user, "at": at}
    acts: dict[str, Callable[..., Any]] = {
        "question": deciding.question, "answer": deciding.answer, "settle": deciding.settle,
        "follow-up": deciding.follow_up, "revoke": deciding.revoke, "gone": deciding.note_gone,
    }  # fmt: skip
    if verb == "revoke":
        common["confirmed"] = stepup.confirmed_recently(request)
    with acting(by=request.user, once=given["once"]):
        acts[verb](found, one, **common)


def _after(request: SignedIn, found: Review, one: ReviewItem) -> str:
    if request.user.has_perm("assurance.view_review"):
        return found.get_absolute_url()
    return reverse("assurance:review-item", args=[found.reference, one.number])


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(REVIEWING, raise_exception=True)
@stepup.step_up_required
def sign(request: SignedIn, reference: str) -> HttpResponse:
    """Show what is attested and sign it off, after a confirmation of who signs. It is final."""
    at = clock.now()
    found = _review(request, reference)
    room = room_of(found, request.user, Filters(view="all"), at=at)
    sent = request.method == "POST"
    form = SignForm(request.POST if sent else None, initial={"statement": _statement(found)})
    if sent and form.is_valid():
        try:
            with acting(by=request.user, once=form.cleaned_data["once"]):
                signing.sign(
                    found, statement=form.cleaned_data["statement"], by=request.user, at=at,
                    confirmed=stepup.confirmed_recently(request),
                )  # fmt: skip
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{found.reference} is signed off.")
            return redirect("assurance:review-result", found.reference)
    context = {"now": at, "review": found, "room": room, "form": form}
    return render(request, "assurance/review_sign.html", context, status=422 if sent else 200)


def _statement(found: Review) -> str:
    """Return the statement that the form proposes; whoever signs may say it otherwise."""
    what = "privileged changes" if found.of_changes else "accesses"
    return f"I have reviewed the {found.items_count:,} {what} in this review, and attest what was decided on each."


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(REVIEWING, raise_exception=True)
def hand_over(request: SignedIn, reference: str) -> HttpResponse:
    """Name other reviewers, or another due date."""
    found = _review(request, reference)
    form = HandOverForm(request.POST or None, user=request.user, review=found)

    def act(at: datetime) -> None:
        signing.hand_over(found, by=request.user, at=at, **form.whom())

    words = {
        "title": "Hand the review over", "text": "Whoever is named now decides; what was decided stays.",
        "verb": "Hand over", "icon": "users",
    }  # fmt: skip
    return _act(request, found, form, act, words, said="The review is handed over.")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required(REVIEWING, raise_exception=True)
@stepup.step_up_required
def call_off(request: SignedIn, reference: str) -> HttpResponse:
    """End a review without a signature, for a reason."""
    found = _review(request, reference)
    form = ReasonForm(request.POST or None)

    def act(at: datetime) -> None:
        signing.call_off(found, by=request.user, at=at, reason=form.cleaned_data["reason"])

    words = {
        "title": "Call the review off", "text": "Nobody signs it. What was decided in it stays to be read.",
        "verb": "Call off", "icon": "ban", "danger": True,
    }  # fmt: skip
    return _act(request, found, form, act, words, said="The review is called off.")


def _act(
    request: SignedIn, found: Review, form: OnceForm, act: Callable[[datetime], None], words: dict[str, Any],
    *, said: str,
) -> HttpResponse:  # fmt: skip
    """Show the form of a verb, or carry it out once. What does not fit is refused with its sentence."""
    at = clock.now()
    if request.method == "POST" and form.is_valid():
        try:
            if not done(form.cleaned_data["once"], request.user):
                with acting(by=request.user, once=form.cleaned_data["once"]):
                    act(at)
                messages.success(request, f"{found.reference}: {said}")
            return redirect(found)
        except Refused as refused:
            form.add_error(None, str(refused))
    crumbs = {"list_url": "assurance:reviews", "list_name": "Reviews", "back": found.get_absolute_url()}
    context = {"now": at, "record": found, "form": form, "act": words, **crumbs}
    return render(request, "assurance/engagement_act.html", context, status=422 if form.is_bound else 200)


@require_safe
@never_cache
@login_required
@permission_required("assurance.view_review", raise_exception=True)
def result(request: SignedIn, reference: str) -> HttpResponse:
    """Show what became of a review, for reading and for paper: signature, digests, and the verdict on each item."""
    at = clock.now()
    found = _review(request, reference)
    page, rows = result_of(found, request.user, page=request.GET.get("page"))
    altered = ""
    if "check" in request.GET:
        try:
            signing.check_unaltered(found)
        except Refused as refused:
            altered = str(refused)
    context = {
        "now": at, "review": found, "attestation": getattr(found, "attestation", None), "page": page, "rows": rows,
        "notable": notable(found, request.user), "room": room_of(found, request.user, Filters(view="all"), at=at),
        "checked": "check" in request.GET, "altered": altered,
    }  # fmt: skip
    return render(request, "assurance/review_result.html", context)
