"""What runs without a person says which part of the system it is."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from portal.audit.actor import acting

P = ParamSpec("P")
R = TypeVar("R")


def as_system(name: str, origin: str = "task") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Run a function, such as a Celery task or one pass of a loop, as "system: <name>".

    Each call is a gesture of its own, and takes no reason from whoever rang: what needs one states it itself.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with acting(by=f"system: {name}", origin=origin, alone=True):
                return function(*args, **kwargs)

        return run

    return decorate
