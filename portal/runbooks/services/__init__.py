"""The verbs of runbooks: make, write, send to review, publish, confirm, retire, take in and hand out."""

from portal.runbooks.services.keeping import change_facts, confirm, retire
from portal.runbooks.services.publishing import publish, submit, take_back
from portal.runbooks.services.taking import Taken, Verdict, handed_out, judge, take_in
from portal.runbooks.services.writing import begin, discard, make, write

__all__ = [
    "Taken",
    "Verdict",
    "begin",
    "change_facts",
    "confirm",
    "discard",
    "handed_out",
    "judge",
    "make",
    "publish",
    "retire",
    "submit",
    "take_back",
    "take_in",
    "write",
]
