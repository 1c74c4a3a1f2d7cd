"""Schedulers, mailers and compute drivers that are bad, each in one way."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from zoneinfo import ZoneInfo

import msgspec
import pytest

from suite.bad.drivers import OnFile, names
from tuppence.clock import SystemClock
from tuppence.drivers import Context, Delivery, Feature, Permission
from tuppence.findings import wrong
from tuppence.local.compute import LocalCompute
from tuppence.local.mailer import LocalMailer
from tuppence.local.scheduler import LocalScheduler
from tuppence.meter import UnitMeter
from tuppence.testing import ComputeContract, MailerContract, ManualClock, SchedulerContract


class Scheduled(OnFile):
    """A suite of a scheduler, with a worker whose clock jumps from one due moment to the next."""

    @pytest.fixture
    def fires(self, tmp_path):
        def fires(schedule, after, count):
            clock = ManualClock(after)
            options = self.driver_class.Options(path=str(tmp_path / "tuppence.db"))
            worker = self.driver_class(options, Context(project="contract", meter=UnitMeter(), clock=clock))
            worker.upsert(schedule)
            fired = []
            for _ in range(count):
                clock.advance(worker.next_due() - clock.now())
                fired += [clock.now() for _ in worker.claim_due()]
            worker.close()
            return fired

        return fires


class TestHealthyScheduler(Scheduled, SchedulerContract):
    driver_class = LocalScheduler


class Wintry(LocalScheduler):
    """Stores a zone as the whole hours it is away from UTC today, and gives back its name."""

    zones = {}  # noqa: RUF012 - stands for a label the service would keep

    def upsert(self, schedule, /):
        away = self.context.clock.now().astimezone(_zone(schedule)).utcoffset()
        self.zones[self.context.project, schedule.name] = schedule.timezone
        if away % timedelta(hours=1):
            return super().upsert(schedule)
        hours = int(away / timedelta(hours=1))
        return super().upsert(replace(schedule, timezone=f"Etc/GMT{-hours:+}" if hours else "UTC"))

    def schedules(self):
        return [
            replace(one, timezone=self.zones.get((self.context.project, one.name), one.timezone))
            for one in super().schedules()
        ]


def _zone(schedule):
    try:
        return ZoneInfo(schedule.timezone)
    except (KeyError, ValueError):
        return ZoneInfo("Asia/Kathmandu")  # left to the healthy driver, which refuses the name


class TestWintry(Scheduled, SchedulerContract):
    driver_class = Wintry
    breaks = names("""
        a change of the clocks disturbs one night only
        a schedule fires by the clock on the wall
    """)


class Paged(LocalScheduler):
    """Lists the first page only."""

    def schedules(self):
        return super().schedules()[:100]


class TestPaged(Scheduled, SchedulerContract):
    driver_class = Paged
    breaks = names("""
        a long list is whole
    """)


class Mailed(OnFile):
    """A suite of a mailer that writes files."""

    @pytest.fixture
    def open_driver(self, tmp_path):
        def open_driver(context, *, missing=False):
            folder = tmp_path / "nowhere" if missing else tmp_path
            return self.driver_class(LocalMailer.Options(directory=str(folder / "outbox")), context)

        return open_driver

    @pytest.fixture
    def letterbox(self, tmp_path):
        return lambda: [
            message_from_bytes(file.read_bytes(), policy=policy.default)
            for file in sorted((tmp_path / "outbox").glob("*"))
        ]


class TestHealthyMailer(Mailed, MailerContract):
    driver_class = LocalMailer


class Repeating(LocalMailer):
    """Claims to know a key again, and sends each time."""

    features = frozenset({Feature.IDEMPOTENT_MAIL, Feature.WRITES_FILES})
    sent = 0

    def send(self, email, /, *, idempotency_key, deadline):
        self.sent += 1
        return super().send(email, idempotency_key=f"{idempotency_key}.{self.sent}", deadline=deadline)


class TestRepeating(Mailed, MailerContract):
    driver_class = Repeating
    breaks = names("""
        a repeated key is no error
    """)


class Boasting(LocalMailer):
    """Writes a file, and lets it pass for a mail that was sent."""

    features = frozenset()


class TestBoasting(Mailed, MailerContract):
    driver_class = Boasting
    breaks = names("""
        a mail arrives as it was sent
    """)


class Mending(LocalMailer):
    """Mends a line break in a subject instead of refusing it."""

    def send(self, email, /, **options):
        subject = email.subject.replace("\r", " ").replace("\n", " ")
        return super().send(replace(email, subject=subject), **options)


class TestMending(Mailed, MailerContract):
    driver_class = Mending
    breaks = names("""
        a line break makes no header
    """)


class Computed:
    """A suite of a compute driver, called in this process."""

    driver_class = LocalCompute
    breaks = frozenset()
    may_break = frozenset()
    counterpart = "bad on purpose"

    @pytest.fixture
    def platform(self):
        context = Context(project="contract", meter=UnitMeter(), clock=SystemClock())
        return Worker(self.driver_class(self.driver_class.Options(), context))


class Worker:
    def __init__(self, driver):
        self.driver = driver

    def deliver(self, consumer, messages):
        expires = datetime(2026, 11, 16, tzinfo=UTC)
        deliveries = [Delivery(message=message, receipt=None, expires=expires) for message in messages]
        return {error.position for error in consumer(deliveries)}

    def fire(self, runner, run):
        try:
            runner(run)
        except ValueError:
            return False
        return True


class TestHealthyCompute(Computed, ComputeContract):
    driver_class = LocalCompute


class Swallowing(LocalCompute):
    """Takes a handler that died for one that is done."""

    def consumer(self, handle, /):
        def consume(deliveries):
            try:
                return handle(deliveries)
            except Exception:  # noqa: BLE001 - that is what is bad
                return []

        return consume

    def runner(self, handle, /):
        def run(one):
            try:
                handle(one)
            except Exception:  # noqa: BLE001 - that is what is bad
                return

        return run


class TestSwallowing(Computed, ComputeContract):
    driver_class = Swallowing
    breaks = names("""
        a run that raises is not done
        everything comes again when the handler raises
    """)


class Sweeping(LocalCompute):
    """Has everything delivered again for one message that failed."""

    def consumer(self, handle, /):
        def consume(deliveries):
            errors = handle(deliveries)
            return [replace(errors[0], position=n) for n in range(len(deliveries))] if errors else []

        return super().consumer(consume)


class TestSweeping(Computed, ComputeContract):
    driver_class = Sweeping
    breaks = names("""
        a consumer is called again and again
        only what failed comes again
        what follows a failure in its lane may come again too
    """)


class Reading(LocalCompute):
    """Takes every body for text."""

    def consumer(self, handle, /):
        def consume(deliveries):
            return handle(
                [
                    replace(
                        one,
                        message=replace(one.message, body=one.message.body.decode(errors="replace").encode()),
                    )
                    for one in deliveries
                ]
            )

        return super().consumer(consume)


class TestReading(Computed, ComputeContract):
    driver_class = Reading
    breaks = names("""
        a body is bytes
        messages arrive as they were sent
    """)


class LooseOptions(msgspec.Struct):
    """Takes any key, and may be changed."""


class Careless(LocalCompute):
    """Breaks what holds for every driver: its options, its features, its permissions, its threads."""

    Options = LooseOptions
    features = frozenset({Feature.NATIVE_TTL})

    def __init__(self, options, context):
        super().__init__(options, context)
        self._thread = threading.get_ident()

    def permissions(self, role, /):
        return [Permission(action="", resource="*")]

    def check(self):
        if threading.get_ident() != self._thread:
            raise RuntimeError("made in another thread")

    def close(self):
        if self._thread is None:
            raise RuntimeError("closed already")
        self._thread = None


class TestCareless(Computed, ComputeContract):
    driver_class = Careless
    breaks = names("""
        a driver works in another thread than it was built in
        close may be called twice
        features are those of the kind
        options are frozen and refuse unknown keys
        permissions are declared without io
    """)


class Eager(LocalScheduler):
    """Opens its file when it is built."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self.schedules()


class TestEager(Scheduled, SchedulerContract):
    driver_class = Eager
    breaks = names("""
        a missing scheduler is not an empty one
        a missing scheduler takes no schedule
        check names a resource that is missing
        findings of a missing resource are told and not raised
        the constructor does no io
    """)


class Gloomy(LocalScheduler):
    """Finds fault with everything, and raises what it should tell."""

    def findings(self, *, deadline):
        self.schedules()
        return [wrong("this may all go wrong", "Hope for the best.")]


class TestGloomy(Scheduled, SchedulerContract):
    driver_class = Gloomy
    breaks = names("""
        findings are in words and call nothing wrong that works
        findings of a missing resource are told and not raised
    """)
