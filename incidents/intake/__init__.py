"""Where alerts of other tools come in.

`receiving` takes one post; `alertmanager` and `plain` are the forms that it may have, `reading` is what they share;
`mapping` says what its labels mean, `words` what the timeline says; `tokens` are the addresses, `views` is their door.
"""

from incidents.intake.receiving import Answer, receive

__all__ = ["Answer", "receive"]
