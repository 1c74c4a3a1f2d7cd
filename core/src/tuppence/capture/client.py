"""The client: what an application calls. Its calls wait for nothing and raise nothing."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any, Final, Never, Self, cast

import msgspec

from tuppence import config as configuration
from tuppence.capture import instances, lifecycle, misuse, statements
from tuppence.capture.encode import Cleaner
from tuppence.capture.frames import FrameKind, frame
from tuppence.capture.instance import EXIT_TIMEOUT, Instance
from tuppence.capture.misuse import Misuse, MisuseWarnings
from tuppence.capture.question import Question
from tuppence.capture.signature import bounded_timeout, never_raises, returns_on_failure
from tuppence.clock import Clock
from tuppence.event import FEEDBACK, MAX_NAME, QUESTION, Outcome, captured_id, milliseconds

FLUSH_TIMEOUT_S: Final = 5.0
_FEW: Final = 512
"""Types of events kept that are such in form."""
DISABLED: Final = "TUPPENCE_DISABLED"


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """What became of this process's events so far.

    Attributes:
        captured: events given a number.
        refused: calls that gave no event, because their content could not be one.
        failed: events that found no room in the journal; they are counted as dropped.
        ignored: statements that could not be recorded, such as a score of 2; their events stand without them.
        set_aside: events in batches that the queue refused; they are kept apart and count as lost.
        sent: batches this process has sent, those of other processes on the host included.
        sending: whether this process is the host's sender.
        durable: whether events survive the death of the process.
        problem: the last thing that went wrong; empty when all is well.

    """

    captured: int
    refused: int
    failed: int
    ignored: int
    set_aside: int
    sent: int
    sending: bool
    durable: bool
    problem: str


class Client:
    """Captures events. Make one for a process and share it between threads, tasks and forked children.

    Args:
        config: the path of a configuration file, a loaded `Config`, or `None` to look for one.
        clock: another clock than the machine's.
        settings: configuration that wins over file and environment, as in `project="mybot"`.

    A configuration file or environment variable that is wrong does not raise: the application starts, what
    names no setting is ignored, and where the configuration cannot be used at all nothing is captured. Both
    are logged, and `stats` counts the calls as refused.

    Raises:
        ConfigError: the settings given here are wrong. Nothing raises afterwards.

    """

    def __init__(
        self,
        config: str | os.PathLike[str] | configuration.Config | None = None,
        *,
        clock: Clock | None = None,
        **settings: Any,
    ) -> None:
        if isinstance(config, configuration.Config):
            self.config = config
        else:
            self.config = configuration.load_for_application(config, **settings)
        self._clock = clock
        self._disabled = os.environ.get(DISABLED, "").lower() in {"1", "true", "yes", "on"}
        self._closed = False
        self._misuse = MisuseWarnings()
        self._cleaner = Cleaner(redacted=self.config.capture.redact, misuse=self._misuse)
        self._types: set[str] = set()
        self._refused = 0
        self._ignored = 0
        self._instance: Instance | None = None
        self._ending: Instance | None = None
        lifecycle.register(self)

    def capture(
        self,
        type: str,  # noqa: A002 - the field's name, as CloudEvents has it
        /,
        *surplus: Never,  # an error to type checkers, left out at run time
        user: Any = None,
        session: Any = None,
        source: Any = None,
        **data: Any,
    ) -> int:
        """Record that something happened. Takes microseconds, waits for nothing, raises nothing.

        Args:
            type: what happened, in a word: `signup`.
            *surplus: counted and left out, as a call raises nothing.
            user: who, as the application names them.
            session: in which conversation.
            source: the channel, such as `web`.
            **data: anything else, by name.

        Returns:
            The event's number within this process, from 1; 0 where nothing was recorded.

        """
        if surplus:
            self.note_misfit("capture")
        return self._record(FrameKind.EVENT, type, user, session, source, data)

    def question(
        self,
        text: str,
        /,
        *surplus: Never,
        user: Any = None,
        session: Any = None,
        source: Any = None,
        **data: Any,
    ) -> Question:
        """Return a question to be used with `with` or `async with`.

        Args:
            text: what was asked.
            *surplus: counted and left out.
            user: who, as the application names them.
            session: in which conversation.
            source: the channel, such as `web`.
            **data: anything else known of the question.

        """
        if surplus or text is None:
            self.note_misfit("question")
        return Question(self, text, {"user": user, "session": session, "source": source}, data)

    def feedback(
        self,
        question: str,
        /,
        *surplus: Never,
        useful: bool,
        user: Any = None,
        session: Any = None,
        source: Any = None,
        **data: Any,
    ) -> int:
        """Record what someone said of an answer.

        Args:
            question: the question's `id`.
            *surplus: counted and left out.
            useful: whether the answer was.
            user: who says so.
            session: in which conversation.
            source: the channel, such as `web`.
            **data: anything else, by name.

        Returns:
            The same as `capture`.

        """
        if surplus or question is None:
            self.note_misfit("feedback")
        about: Any = question
        wrong = statements.rate(data, about.id if type(about) is Question else about, useful)
        number = self._record(FrameKind.EVENT, FEEDBACK, user, session, source, data)
        if wrong and number:
            for name in wrong:
                self.ignore(misuse.wrong_value(name))
        return number

    # To type checkers these arguments are required. A call without them is counted and does not raise.
    capture.__defaults__ = ("",)
    question.__defaults__ = feedback.__defaults__ = (None,)
    cast("dict[str, Any]", feedback.__kwdefaults__)["useful"] = None

    @returns_on_failure(False)  # noqa: FBT003 - as flush returns
    @never_raises
    def flush(self, /, timeout: float = FLUSH_TIMEOUT_S) -> bool:
        """Send everything captured so far, and wait until the queue has it.

        Args:
            timeout: seconds to wait at most; an hour is the most.

        Returns:
            Whether the queue has everything captured since the last flush. If not, it stays in the journal
            and is sent later, or the queue refused it (`stats.set_aside`). False, too, where the
            configuration cannot be used, so that nothing was captured.

        """
        instance = self._own()
        if instance is None:
            return not self.config.problem
        return instance.flush(bounded_timeout(timeout, FLUSH_TIMEOUT_S))

    @never_raises
    async def aflush(self, /, timeout: float = FLUSH_TIMEOUT_S) -> bool:  # noqa: ASYNC109 - the same words as flush
        """Do what `flush` does without blocking the event loop."""
        import asyncio

        try:
            return await asyncio.to_thread(self.flush, timeout)
        except RuntimeError as error:  # no thread can be had, as when the interpreter is ending
            self.note_failure("aflush", error)
            return False

    @returns_on_failure(False)  # noqa: FBT003 - as close returns
    @never_raises
    def close(self, /, timeout: float = EXIT_TIMEOUT) -> bool:
        """Stop capturing, try to send what is left, and let go of files. A second call waits for the first.

        Args:
            timeout: seconds to wait at most; an hour is the most.

        Returns:
            Whether the queue has everything. If not, the host's sender or the next run sends the rest.

        """
        timeout = bounded_timeout(timeout, EXIT_TIMEOUT)
        self._closed = True
        self._ending = instance = self._own() or self._ending
        self._instance = None
        return instance is None or instances.leave(instance, self, timeout)

    @property
    def stats(self) -> Stats:
        """What became of this process's events so far."""
        instance = self._own()
        owner = instance or self._ending
        sender = instance.sender if instance else None
        return Stats(
            captured=instance.captured if instance else 0,
            refused=self._refused + (instance.journal.refused if instance else 0),
            failed=instance.failed if instance else 0,
            ignored=self._ignored + (instance.journal.ignored if instance else 0),
            set_aside=owner.events_set_aside() if owner else 0,
            sent=sender.sent if sender else 0,
            sending=sender.elected if sender else False,
            durable=instance.durable if instance else False,
            problem=sender.problem if sender else self.config.problem,
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the configuration alone: whoever unpickles it has a client of their own process."""
        return type(self), (self.config,)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _record(
        self, kind: int, type_: Any, user: Any, session: Any, source: Any, data: dict[str, Any]
    ) -> int:
        """Encode one event and append it to the journal."""
        try:
            instance = self._instance or self._start()
            if instance is None:
                return 0
            if type(type_) is not str or (type_ not in self._types and not self._takes(type_)):
                return self._refuse(instance)
            cleaner = self._cleaner
            known = cleaner.names
            if source is not None:
                source = (type(source) is str and known.get(source)) or cleaner.name(source)
            if user is not None:
                user = (type(user) is str and known.get(user)) or cleaner.name(user)
            if session is not None:
                session = (type(session) is str and known.get(session)) or cleaner.name(session)
            data = cleaner.settled(data)
            now = time.time_ns() // 1_000_000 if self._clock is None else milliseconds(self._clock.now())
            seq = next(instance.numbers)
            written = frame(kind, seq, now, data, type_, source, user, session)
            if not instance.mark[0]:  # this process is a fork of the one that the journal belongs to
                self._own()
                return self._record(kind, type_, user, session, source, data)
        except Exception:  # noqa: BLE001 - nothing an application hands in may raise here
            return self._refuse(self._instance)
        try:
            instance.journal.write(written)
        except ValueError:  # there is no room left for it
            return self._append(instance, seq, written)
        if seq > instance.captured:  # noqa: PLR1730 - threads may overtake one another; max() takes longer
            instance.captured = seq
        return seq

    def _takes(self, type_: str) -> bool:
        """Whether a type is one in form. An application has few, so they are kept."""
        fits = 0 < len(type_) <= MAX_NAME and type_.isprintable()
        if fits and len(self._types) < _FEW:
            self._types.add(type_)
        return fits

    def _append(self, instance: Instance, seq: int, written: bytes) -> int:
        """Write a frame, turning to the next segment if need be; return its number, or 0 without room."""
        try:
            instance.journal.append(written)
        except Exception:  # noqa: BLE001 - a full disk; the number is a gap that the reader counts as dropped
            if not instance.inherited:  # else a signal handler forked within the call
                instance.failed += 1
                instance.journal.fail(seq)
            return 0
        instance.captured = max(instance.captured, seq)  # a question closes with an older number
        return seq

    def _refuse(self, instance: Instance | None) -> int:
        if instance is not None and instance.inherited:
            self._own()
            with suppress(Exception):  # it stays a refusal, if one that no journal counts
                instance = self._start()
        self.warn(misuse.REFUSED)
        if instance is not None:
            instance.journal.refuse()
        else:
            self._refused += 1
        return 0

    def ignore(self, what: Misuse) -> None:
        """Count a statement that could not be recorded, and warn of its kind once."""
        if self._disabled:
            return
        instance = self._own()
        self._ignored += 1
        if instance is not None:
            earlier, self._ignored = self._ignored, 0
            instance.journal.ignore(earlier)
        self._misuse.warn(what)

    def note_misfit(self, method: str) -> None:
        """Count that a method was called with arguments that do not fit it."""
        self.ignore(misuse.misfit(method))

    def note_failure(self, method: str, error: Exception) -> None:
        """Warn that a method failed."""
        self.warn(misuse.failure(method, error))

    def warn(self, what: Misuse) -> None:
        """Warn of a misuse, once for its kind."""
        if not self._disabled:
            self._misuse.warn(what)

    def _own(self) -> Instance | None:
        """Return the instance of this process, if one was made; a forked child forgets its parent's."""
        instances.notice_fork()
        held = self._instance or self._ending
        if held is not None and held.inherited:
            self._instance = self._ending = None
            self._refused = self._ignored = 0
        return self._instance

    def open_question(
        self, text: Any, fields: dict[str, Any], data: dict[str, Any]
    ) -> tuple[str, int, Instance | None]:
        """Record that a question was asked; return its id, its number and the instance that has it."""
        who, where, through = fields["user"], fields["session"], fields["source"]
        seq = self._record(FrameKind.OPENED, QUESTION, who, where, through, {**data, "text": text})
        instance = self._instance
        if not seq or instance is None:
            return "", 0, None
        return captured_id(instance.id, seq), seq, instance

    def amend_question(self, instance: Instance, seq: int, end: dict[str, Any]) -> None:
        """Record what was stated of a question after its end, if its journal still takes it.

        Whoever reads the journal amends the question, or counts the statement where that has been packed.
        """
        if instance is not self._instance or not self.close_question(instance, seq, end):
            self.ignore(misuse.NOT_AMENDED)

    def close_question(self, instance: Instance, seq: int, end: dict[str, Any]) -> bool:
        """Record how a question ended, unless it was asked in the process that this one was forked from.

        Its number is the parent's, and so is what becomes of it. Returns whether it was recorded.
        """
        if instance.inherited:
            return False
        now = time.time_ns() // 1_000_000
        try:
            written = frame(FrameKind.CLOSED, seq, now, self._cleaner.settled(end))
        except Exception:  # noqa: BLE001 - the outcome counts, whatever else was handed in
            self.ignore(misuse.TOO_LARGE)
            outcome = end.get("outcome", Outcome.ANSWERED.value)
            written = frame(FrameKind.CLOSED, seq, now, {"outcome": outcome})
        return self._append(instance, seq, written) > 0

    def _start(self) -> Instance | None:
        """Join the instance of this process when the first event comes, or the first after a fork."""
        if self._closed:
            self.ignore(misuse.CLOSED)
        if self.config.problem and not self._disabled:
            self._refused += 1
        if self._disabled or self._closed or self.config.problem:
            return None
        self._own()
        self._instance = instances.join(self.config, self._clock, self)
        return self._instance
