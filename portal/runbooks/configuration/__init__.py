"""Configuration that is known: what the runbook in force asks of a system, and who saw that it is there, and when.

No value is kept here, only that somebody found it.
"""
