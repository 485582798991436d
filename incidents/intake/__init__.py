"""Where alerts of other tools come in.

`receiving` takes one post; `kinds` finds how a kind of address reads it, in `alertmanager`, `grafana`, `pagerduty`,
`uptimekuma`, `plain` and `generic` (with its `paths` and `presets`), which share `reading`; `settling` does what the
report asks for; `mapping` says what its labels mean, `words` what the timeline says; `tokens` are the addresses,
`views` is their door.
"""

from incidents.intake.posts import Answer
from incidents.intake.receiving import receive

__all__ = ["Answer", "receive"]
