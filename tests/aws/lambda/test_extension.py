"""An application on Lambda itself: stopped between calls, and what it captured arrives once."""

import sys
import threading
from collections import Counter
from datetime import timedelta

import pytest

from aws.faulty import Faulty, lost, refused
from aws.freezing import frozen
from aws.queues import queues_at
from aws.runtime_api import environment
from emulators import UV, free_port
from tuppence import Client
from tuppence.batch import to_events, unpack
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Context
from tuppence.meter import UnitMeter
from tuppence.testing import ManualClock
from tuppence_aws import extension
from tuppence_aws.queue import SqsQueue

APPLICATION = """\
import time

import tuppence
from tuppence_aws import extension

settings = {{"queue": {{"endpoint": "{url}"}}, "capture": {{"flush_interval": "{interval}"}}}}
tp = tuppence.Client(provider="aws", project="{project}", **settings)


def answer(event, context):
    with tp.question(event["text"]) as q:
        tp.capture("begun", text=event["text"])
        time.sleep(event.get("seconds", 0))
        q.answered(share=1 / event.get("among", 1))
    return q.id


handler = extension.wrap(answer, client=tp, within={within})
"""
QUIET = "1h"
"""Longer than a test: nothing but the first call and the end of the process sends."""
BUSY = "100ms"
LONGER = 0.2
"""Seconds that a call takes for more to be due behind it where it is busy."""
PATIENT = 10.0
BRIEF = 0.3
"""Seconds that sending may put off the freeze, on a busy machine and with a dead queue."""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    if sys.platform != "linux":
        pytest.skip("AWS's runtime client is built for Linux")
    return environment(tmp_path_factory.mktemp("lambda") / "venv", UV, sys.executable)


@pytest.fixture
def faulty(ministack_url):
    with Faulty(ministack_url).running() as proxy:
        yield proxy


@pytest.fixture
def root(tmp_path, faulty, project, ministack_url):
    """Return the function's folder, of an application that sends seldom, and its queue."""
    with queues_at(ministack_url, project):
        write(tmp_path, faulty, project)
        yield tmp_path


def write(root, faulty, project, interval=QUIET, within=PATIENT):
    text = APPLICATION.format(project=project, url=faulty.url, interval=interval, within=within)
    (root / "app.py").write_text(text, encoding="utf-8")


@pytest.fixture
def arrived(ministack_url, project):
    """Return what reads the events that came since it was last asked, each by its identity."""

    def arrived():
        context = Context(project=project, meter=UnitMeter(), clock=SystemClock())
        queue = SqsQueue(SqsQueue.Options(endpoint=ministack_url), context)
        events = []
        try:
            while deliveries := queue.receive(
                max_messages=10,
                wait=timedelta(0),
                lease=timedelta(minutes=1),
                deadline=Deadline.after(10),
            ):
                assert not queue.ack(deliveries, deadline=Deadline.after(10))
                for delivery in deliveries:
                    header, columns = unpack(delivery.message.body)
                    events += [(header.instance, event) for event in to_events(columns)]
        finally:
            queue.close()
        assert set(Counter((instance, event.seq) for instance, event in events).values()) <= {1}
        return [event for _, event in events]

    return arrived


def texts(events):
    """Return the texts asked, in order, of questions that were ended."""
    return sorted(event.data["text"] for event in events if event.type == "question")


def ask(process, *texts, **more):
    return [process.call({"text": text, **more}) for text in texts]


@pytest.mark.slow
def test_what_was_captured_has_arrived_when_the_process_is_frozen(python, root, arrived):
    with frozen(python, root) as process:
        (answer,) = ask(process, "a")
        events = arrived()

    assert not answer.failed
    assert [(event.type, event.data["text"]) for event in events] == [("question", "a"), ("begun", "a")]


@pytest.mark.slow
def test_the_caller_has_the_answer_while_the_queue_is_still_at_it(python, root, faulty, arrived):
    answered = threading.Event()

    def held(request, forward):
        answered.wait(30)
        return forward(request)

    faulty.planned.append(held)
    with frozen(python, root) as process:
        process.thaw()
        answer = process.api.call({"text": "a"})
        resting = process.api.rested(timeout=0)
        answered.set()
        process.freeze()
        events = arrived()

    assert not answer.failed
    assert not resting
    assert texts(events) == ["a"]


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["python3.12", "python3.11"])
def test_between_two_sendings_calls_are_answered_and_the_end_sends_the_rest(python, root, arrived, runtime):
    """Up to 3.11 AWS's client keeps the main thread to itself, and no handler of a signal runs."""
    calls = [f"{number:02}" for number in range(30)]

    with frozen(python, root, AWS_EXECUTION_ENV=f"AWS_Lambda_{runtime}") as process:
        ask(process, *calls)
        before = arrived()
        process.shut_down()
    after = arrived()

    assert texts(before) == calls[:1]
    assert texts(after) == calls[1:]


@pytest.mark.slow
@pytest.mark.parametrize("fault", [refused, lost])
def test_a_connection_that_died_in_the_freeze_is_made_anew(python, root, faulty, project, arrived, fault):
    write(root, faulty, project, BUSY)

    with frozen(python, root) as process:
        ask(process, "a")
        faulty.planned.append(fault)
        ask(process, "b", seconds=LONGER)
        events = arrived()

    assert faulty.met == {fault.__name__: 1}
    assert texts(events) == ["a", "b"]


@pytest.mark.slow
def test_a_dead_queue_holds_up_neither_answers_nor_the_freeze_for_good(
    python, root, faulty, project, arrived
):
    back = threading.Event()

    def silent(request, forward):
        back.wait(60)

    write(root, faulty, project, BUSY, BRIEF)
    faulty.faults, faulty.rate = (silent,), 1.0
    with frozen(python, root) as process:
        answers = ask(process, "a", "b", "c", seconds=LONGER)
    faulty.rate = 0.0
    back.set()
    write(root, faulty, project)
    with frozen(python, root) as process:  # after a failure Lambda starts it anew, and leaves /tmp as it was
        answers += ask(process, "d")
        events = arrived()

    assert [answer.failed for answer in answers] == [False] * 4
    assert faulty.met == {"silent": 1}
    assert texts(events) == ["a", "b", "c", "d"]


@pytest.mark.slow
def test_a_handler_that_times_out_loses_nothing_and_its_question_counts_as_aborted(python, root, arrived):
    with frozen(python, root) as process:
        process.thaw()
        process.api.begin({"text": "a", "seconds": 60}, timeout=2)
        assert process.api.rested("tuppence")
        process.process.kill()
        in_time = arrived()
    with frozen(python, root) as process:
        ask(process, "b")
        later = arrived()

    assert [event.type for event in in_time] == ["begun"]
    outcomes = {event.data["text"]: event.data["outcome"] for event in later if event.type == "question"}
    assert outcomes == {"a": "aborted", "b": "answered"}


@pytest.mark.slow
def test_an_error_is_told_to_lambda_as_ever_and_its_question_is_sent(python, root, arrived):
    with frozen(python, root) as process:
        (answer,) = ask(process, "a", among=0)
        events = arrived()

    assert answer.failed
    assert answer.value["errorType"] == "ZeroDivisionError"
    assert [event.data.get("outcome") for event in events] == ["error", None]


@pytest.mark.slow
def test_a_wrapped_handler_that_lambda_does_not_call_is_said_once_and_waited_for_no_more(python, root):
    with (root / "app.py").open("a", encoding="utf-8") as file:
        file.write("handler = answer\n")

    with frozen(python, root) as process:
        answers = ask(process, "a", "b", "c")

    assert [answer.failed for answer in answers] == [False] * 3
    assert (root / "log").read_text().count("Lambda calls another handler") == 1


@pytest.mark.slow
def test_sending_that_breaks_is_logged_and_the_process_is_frozen_all_the_same(python, root):
    with (root / "app.py").open("a", encoding="utf-8") as file:
        file.write("def broken(timeout):\n    raise OSError('no disk')\n\ntp.flush = broken\n")

    with frozen(python, root) as process:
        answers = ask(process, "a", "b", "c")

    assert [answer.failed for answer in answers] == [False] * 3
    assert (root / "log").read_text().count("OSError: no disk") == 1


@pytest.mark.parametrize("jump", [timedelta(minutes=2), timedelta(days=3), timedelta(days=-3)])
def test_sending_is_due_after_an_interval_and_where_the_clock_was_set(jump):
    clock = ManualClock()
    pace = extension.Pace(timedelta(minutes=2), clock)
    first = pace.due

    pace.tried(done=True)
    clock.advance(timedelta(seconds=119))
    before = pace.due
    clock.advance(jump)

    assert (first, before, pace.due) == (True, False, True)


def test_a_queue_that_failed_is_left_alone_for_a_while_however_short_the_interval():
    clock = ManualClock()
    pace = extension.Pace(timedelta(milliseconds=100), clock)

    pace.tried(done=False)
    clock.advance(extension.AFTER_FAILURE - timedelta(seconds=1))
    before = pace.due
    clock.advance(timedelta(seconds=1))

    assert (before, pace.due) == (False, True)


def test_outside_lambda_the_handler_stays_as_it_is(tmp_path, monkeypatch):
    monkeypatch.delenv(extension.API, raising=False)
    handler = object()

    with Client(provider="local", project="bot", capture={"directory": str(tmp_path)}) as client:
        assert extension.wrap(handler, client=client) is handler


def test_where_lambda_takes_no_extension_the_handler_stays_as_it_is(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv(extension.API, f"127.0.0.1:{free_port()}")
    handler = object()

    with Client(provider="local", project="bot", capture={"directory": str(tmp_path)}) as client:
        assert extension.wrap(handler, client=client) is handler

    assert "this is no extension" in caplog.text


@pytest.mark.slow
def test_a_second_wrapping_is_refused_and_harms_nobody(python, root, arrived):
    with (root / "app.py").open("a", encoding="utf-8") as file:
        file.write("assert extension.wrap(answer, client=tp) is answer\n")

    with frozen(python, root) as process:
        (answer,) = ask(process, "a")
        events = arrived()

    assert not answer.failed
    assert texts(events) == ["a"]
    assert "status 403" in (root / "log").read_text()
