import uuid

import pytest

from portal.audit.actor import Actor, acting, actor_of, current, gesture_of
from portal.audit.decorators import as_system


class Person:
    def as_actor(self):
        return Actor("Amara Okafor", user_id=7)


def test_an_actor_is_found_behind_a_person_an_actor_and_a_name():
    assert actor_of(Person()) == Actor("Amara Okafor", user_id=7)
    assert actor_of(Actor("x")) == Actor("x")
    assert actor_of("system: sweep") == Actor("system: sweep")


def test_an_inner_context_keeps_the_gesture_and_what_it_does_not_name():
    with acting(by="outer", reason="why", origin="web", address="192.0.2.1") as outer:
        with acting(by="inner") as inner:
            assert (inner.actor.name, inner.reason, inner.origin, inner.address) == ("inner", "why", "web", "192.0.2.1")
            assert inner.gesture == outer.gesture
        assert current() is outer


def test_a_loop_makes_each_pass_a_gesture_of_its_own():
    with acting(by="command: sweep") as outer, acting(anew=True) as inner:
        assert inner.gesture != outer.gesture


def test_the_gesture_of_a_form_is_made_of_its_key_and_of_who_sends_it():
    once = uuid.UUID(int=7)
    with acting(by=Person(), once=once) as sent, acting(by=Person(), once=once) as again:
        assert sent.gesture == again.gesture == gesture_of(once, Person())
    with acting(by=Actor("Amara Okafor", user_id=8), once=once) as other:
        assert other.gesture != sent.gesture


def test_nobody_acts_under_the_gesture_of_somebody_else():
    with acting(by=Person()) as signed_in, acting(by=Actor("Mallory"), once=signed_in.gesture) as borrowed:
        assert borrowed.gesture != signed_in.gesture


def test_the_context_closes_when_the_work_fails():
    before = current()
    with pytest.raises(RuntimeError), acting(by="outer"):
        raise RuntimeError
    assert current() is before


def test_the_actor_is_asked_for_when_first_needed():
    asked = []

    def by():
        asked.append(1)
        return Person()

    with acting(by=by) as context:
        with acting(reason="more") as inner:
            assert asked == []
            assert inner.actor.name == "Amara Okafor"
        assert context.actor.user_id == 7
    assert len(asked) == 1


def test_somebody_has_to_be_named(nobody):
    with pytest.raises(ValueError, match="Name who acts"), acting(reason="none"):
        pass


def test_a_task_acts_as_a_part_of_the_system(nobody):
    @as_system("escalation")
    def task(number):
        return number, current()

    number, first = task(3)
    assert (number, first.actor.name, first.origin) == (3, "system: escalation", "task")
    assert task(4)[1].gesture != first.gesture
    assert current() is None
