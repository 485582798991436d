"""What every service raises for what the rules do not allow."""


class Refusal(ValueError):
    """The rules do not allow it now. The sentence says why, and what to do instead; whoever asked may read it."""
