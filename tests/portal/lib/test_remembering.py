"""What is asked once for each page."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from portal.lib.remembering import RememberingMiddleware, remembered, remembering


@pytest.fixture
def asked():
    return []


@pytest.fixture
def ask(asked):
    def ask(key="x"):
        return remembered(key, lambda: asked.append(key) or len(asked))

    return ask


def test_outside_of_a_page_each_question_is_asked(ask):
    assert [ask(), ask()] == [1, 2]


def test_within_a_page_each_question_is_asked_once(ask):
    with remembering():
        assert [ask("a"), ask("a"), ask("b")] == [1, 1, 2]


def test_what_was_remembered_ends_with_the_page(ask):
    with remembering():
        ask()
    with remembering():
        assert ask() == 2


def test_a_page_within_a_page_adds_to_it(ask):
    with remembering():
        ask()
        with remembering():
            assert ask() == 1
        assert ask() == 1


def test_nothing_as_an_answer_is_remembered_too(asked):
    with remembering():
        for _ in range(2):
            assert remembered("x", lambda: asked.append("x")) is None
    assert asked == ["x"]


@pytest.mark.parametrize(("method", "answers"), [("GET", "11"), ("HEAD", "11"), ("POST", "12"), ("DELETE", "12")])
def test_only_a_request_that_reads_remembers(ask, method, answers):
    answer = RememberingMiddleware(lambda _: HttpResponse(f"{ask()}{ask()}"))
    assert answer(RequestFactory().generic(method, "/")).content == answers.encode()


def test_a_request_that_fails_leaves_nothing_behind(ask):
    def fail(_):
        ask()
        raise ValueError("it broke")

    with pytest.raises(ValueError, match="it broke"):
        RememberingMiddleware(fail)(RequestFactory().get("/"))
    assert ask() == 2
