"""Schedulers, mailers and compute drivers that are bad in several small ways at once."""

from __future__ import annotations

import os
from dataclasses import replace

from suite.bad.drivers import Alone, Unmetered, leaking, names, patient
from suite.bad.others import Computed, Mailed, Scheduled
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.compute import LocalCompute
from tuppence.local.mailer import LocalMailer
from tuppence.local.scheduler import LocalScheduler
from tuppence.testing import ComputeContract, MailerContract, SchedulerContract

HERE = os.getpid()
WEEKDAYS = str.maketrans("0123456", "6012345")


def error(code, operation):
    return DriverError(code, operation=operation, provider="bad")


class Plain(LocalScheduler):
    """Drops payloads, writes lines in capitals, and takes every zone for UTC."""

    def schedules(self):
        return [
            replace(one, payload={}, cron=one.cron.upper(), timezone="UTC") for one in super().schedules()
        ]


class TestPlain(Scheduled, SchedulerContract):
    driver_class = Plain
    breaks = names("""
        a schedule is kept as given
        another process sees what was made
        every payload is kept
        every zone is kept
        other lines are refused
        portable lines are accepted
        projects do not see each other
        racing upserts make one schedule
        upsert replaces the schedule of that name
    """)


class Agreeable(LocalScheduler):
    """Takes every line and every zone, and knows no projects and no order."""

    def __init__(self, options, context):
        super().__init__(options, replace(context, project="all"))

    def upsert(self, schedule, /):
        try:
            super().upsert(schedule)
        except DriverError as refused:
            if refused.code is not ErrorCode.INVALID:
                raise

    def schedules(self):
        return list(reversed(super().schedules()))


class TestAgreeable(Scheduled, SchedulerContract):
    driver_class = Agreeable
    breaks = names("""
        a long list is whole
        an unknown zone is refused
        other lines are refused
        projects do not see each other
        schedules come by name
    """)


class Stubborn(LocalScheduler):
    """Keeps the first schedule of a name, removes none, and wants names of letters."""

    def upsert(self, schedule, /):
        if not schedule.name.isalpha():
            raise error(ErrorCode.INVALID, "scheduler.upsert")
        if schedule.name not in {one.name for one in super().schedules()}:
            super().upsert(schedule)

    def remove(self, name, /):
        super().schedules()


class TestStubborn(Scheduled, SchedulerContract):
    driver_class = Stubborn
    breaks = names("""
        a long list is whole
        a removed schedule is gone
        every name is kept
        other lines are refused
        upsert replaces the schedule of that name
    """)


class Lonely(Alone, LocalScheduler):
    """Shares nothing with other drivers on its resource, and is away when nothing is there."""

    def schedules(self):
        found = super().schedules()
        if not found:
            raise error(ErrorCode.UNAVAILABLE, "scheduler.schedules")
        return found


class TestLonely(Scheduled, SchedulerContract):
    driver_class = Lonely
    breaks = names("""
        a removed schedule is gone
        another process sees what was made
        no schedules are an empty list
        projects do not see each other
        racing upserts make one schedule
    """)


class Foreign(LocalScheduler):
    """Counts weekdays from Monday."""

    lines = {}  # noqa: RUF012 - stands for a label the service would keep

    def upsert(self, schedule, /):
        *fields, weekday = schedule.cron.split() or [""]
        super().upsert(replace(schedule, cron=" ".join([*fields, weekday.translate(WEEKDAYS)])))
        self.lines[self.context.project, schedule.name] = schedule.cron

    def schedules(self):
        return [replace(one, cron=self.lines[self.context.project, one.name]) for one in super().schedules()]


class TestForeign(Scheduled, SchedulerContract):
    driver_class = Foreign
    breaks = names("""
        a portable line means what cron means
    """)


class Homesick(LocalScheduler):
    """Works in the process that has loaded it, and says at home that it is away."""

    def __init__(self, options, context):
        super().__init__(options, context)
        if os.getpid() != HERE:
            raise RuntimeError("far from home")

    def check(self):
        super().check()
        raise error(ErrorCode.UNAVAILABLE, "scheduler.check")


class TestHomesick(Scheduled, SchedulerContract):
    driver_class = Homesick
    breaks = names("""
        a driver works in another thread than it was built in
        a forked child rebuilds its driver
        check succeeds on a resource that is there
        close may be called twice
    """)


class Plainest(Unmetered, LocalMailer):
    """Sends ASCII, without large attachments, under keys that are words, and counts nothing."""

    def send(self, email, /, *, idempotency_key, deadline):
        if not idempotency_key.isidentifier():
            raise error(ErrorCode.INVALID, "mailer.send")
        plain = replace(
            email,
            subject=_ascii(email.subject),
            text=_ascii(email.text),
            attachments=[one for one in email.attachments if len(one.body) < 1024],
        )
        return super().send(plain, idempotency_key=idempotency_key, deadline=deadline)


def _ascii(text):
    return text.encode("ascii", "replace").decode()


class TestPlainest(Mailed, MailerContract):
    driver_class = Plainest
    breaks = names("""
        a key is any text
        a mail arrives as it was sent
        a subject arrives as it was sent
        attachments arrive whole and in order
        text and html arrive as they were sent
        what is billed is counted
    """)


class Agreeably(LocalMailer):
    """Accepts what it cannot send, decodes what it should not, and takes equal mails for one."""

    def send(self, email, /, *, idempotency_key, deadline):
        if "=?" in email.subject:
            email = replace(email, subject="Hello", headers={**email.headers, "Bcc": "victim@example.com"})
        try:
            return super().send(email, idempotency_key=email.subject, deadline=deadline)
        except DriverError as refused:
            if refused.code is not ErrorCode.INVALID:
                raise
            return "accepted"


class TestAgreeably(Mailed, MailerContract):
    driver_class = Agreeably
    breaks = names("""
        a line break makes no header
        a mail goes to one address
        a subject arrives as it was sent
        an encoded line break makes no header
        two keys are two mails
    """)


class Timeless(leaking("send"), patient("send"), LocalMailer):
    """Ignores the deadline, and raises what the file system raises."""


class TestTimeless(Mailed, MailerContract):
    driver_class = Timeless
    breaks = names("""
        a line break makes no header
        a mail goes to one address
        a missing service is not reached
        no mail is sent after the deadline
        an encoded line break makes no header
    """)


class Blind(LocalCompute):
    """Hands on neither when a lease ends nor what a run was given, and wants a first message."""

    def consumer(self, handle, /):
        def consume(deliveries):
            blind = [replace(one, expires=one.expires.replace(tzinfo=None)) for one in deliveries]
            return handle(blind) if blind[0] else ()

        safe = super().consumer(consume)
        return lambda deliveries: safe(deliveries) if deliveries else consume(deliveries)

    def runner(self, handle, /):
        return lambda run: handle(replace(run, payload={}))


class TestBlind(Computed, ComputeContract):
    driver_class = Blind
    breaks = names("""
        a delivery says when its lease ends
        a run arrives with its name and payload
        an empty call is nothing to do
    """)
