"""The instances of this process. Clients with the same configuration share one.

An application that makes clients again and again, a notebook or a script that is run anew for each visitor,
has one journal, one thread and one set of open files all the same. An instance ends when its last client is
closed, or is gone without having been closed.

No caller waits for a lock here either: what several threads, or a signal handler, might do at once is one
operation on a dict or a list, of which one of them is the first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

import msgspec

from tuppence import process
from tuppence.capture import threads
from tuppence.capture.instance import Instance
from tuppence.clock import Clock, SystemClock
from tuppence.config import Config

_Key = tuple[int, bytes, int]

_TRIES: Final = 8


class _Process:
    """What is known of this process.

    Attributes:
        mark: false in a forked child that has not noticed that it is one.
        shared: the instances that clients may join.
        running: those that have not ended, by id.
        threads_are_safe: whether a thread may be started.

    """

    def __init__(self) -> None:
        self.mark = process.mark()
        self.shared: dict[_Key, Instance] = {}
        self.running: dict[str, Instance] = {}
        self.threads_are_safe = True


def join(config: Config, clock: Clock | None, user: object) -> Instance | None:
    """Return the instance for a configuration; `user` is one of its users until it leaves or is collected."""
    notice_fork()
    key = (os.getpid(), msgspec.json.encode(config, enc_hook=str, order="deterministic"), id(clock))
    for _ in range(_TRIES):
        instance = _here().shared.get(key) or _make(key, config, clock)
        if instance.inherited:  # a signal handler forked meanwhile, and this is the child
            forget_inherited()
            continue
        instance.add_user(user)
        if _here().shared.get(key) is instance:
            return instance
        instance.remove_user(user)  # it was retired meanwhile
    return None


def leave(instance: Instance, user: object, timeout: float) -> bool:
    """Have what was captured sent, and end the instance if nobody else uses it.

    Returns:
        Whether the queue has everything.

    """
    instance.remove_user(user)
    if retire(instance):
        return instance.close(timeout)
    return instance.flush(timeout) if instance.has_users() else instance.ended(timeout)


def retire(instance: Instance) -> bool:
    """Take an instance that nobody uses out of use; return whether it falls to the caller to end it."""
    shared = _here().shared
    if instance.has_users():
        return False
    if shared.get(instance.key) is instance:
        shared.pop(instance.key, None)
    if not instance.has_users():
        return instance.take_end()
    shared.setdefault(instance.key, instance)  # someone joined meanwhile
    return False


def end(instance: Instance, timeout: float) -> None:
    """End an instance, whoever uses it, and wait for its end."""
    if instance.take_end():
        instance.close(timeout)
    else:
        instance.ended(timeout)


def running() -> Iterator[Instance]:
    """Yield the instances of this process that have not ended, those of clients that are gone included."""
    notice_fork()
    for name, instance in list(_here().running.items()):
        if instance.has_ended:
            _here().running.pop(name, None)
        else:
            yield instance


def notice_fork() -> None:
    """Let go of what is a parent process's, if this process was forked and nobody has said so.

    Where the parent had a thread of ours, no thread may be started here any more. That thread may have been
    waiting for the interpreter's lock. A copy of a lock with a waiter who is not there can block for ever
    whoever releases it, once there is another thread that waits for it.
    """
    if not _here().mark[0]:
        if forget_inherited():
            _here().threads_are_safe = False
        threads.after_fork_in_child()
        _here().mark = process.mark()


def after_fork() -> None:
    """Do the same where Python says so, which has made its lock anew."""
    forget_inherited()
    threads.after_fork_in_child()
    _here().mark = process.mark()
    _here().threads_are_safe = True


def forget_inherited() -> bool:
    """Let go of what is a parent process's; return whether it had a thread for it."""
    had_thread = False
    for key, instance in list(_here().shared.items()):
        if instance.inherited:
            _here().shared.pop(key, None)
            instance.abandon()
    for name, instance in list(_here().running.items()):
        if instance.inherited and _here().running.pop(name, None) is not None:
            had_thread = had_thread or (instance.has_thread and not instance.has_ended)
            instance.abandon()
    return had_thread


def _here() -> _Process:
    """Return what is known of this process, the same to a signal handler that asks meanwhile."""
    return _FIRST.get("") or _FIRST.setdefault("", _Process())


_FIRST: Final[dict[str, _Process]] = {}
"""Holds it once it is asked for. `functools.cache` keeps the last of several results, and this the first."""


def _make(key: _Key, config: Config, clock: Clock | None) -> Instance:
    """Return a new instance, or the one that another caller has made meanwhile."""
    made = Instance(config, clock or SystemClock(), key, retire)
    first = _here().shared.setdefault(key, made)
    if made.inherited:
        made.abandon()
    elif first is not made:
        made.discard()
    else:
        _here().running[made.id] = made
        made.start(threaded=_here().threads_are_safe and not process.is_uwsgi_master())
        for _ in running():  # forgets those that have ended
            pass
    return first
