"""What a page behind the sign-in is given."""

from django.http import HttpRequest

from portal.accounts.models import User


class SignedIn(HttpRequest):
    """A request of somebody who is signed in: `login_required` stands before the view. For annotations only."""

    user: User
