"""The model's drivers: what core calls, one request at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from exact.model import Ack, Delete, Depth, Get, Hide, Item, Purge, Put, Query, Receive, Send
from tuppence.cursors import cursor_after, position_in
from tuppence.drivers import (
    ZERO,
    Delivery,
    ItemError,
    Limits,
    Message,
    Page,
    QueueDriver,
    Record,
    StoreDriver,
    Version,
)
from tuppence.errors import DriverError, ErrorCode


class ModelOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`world` makes requests, as `do(request, now)`; without one, nothing is there. `page` bounds pages."""

    world: Any = None
    page: int = 100


class Model:
    """What both drivers do."""

    Options = ModelOptions

    def check(self):
        self._ready(f"{self.kind}.check", None)

    def _ready(self, operation, deadline):
        if self.options.world is None:
            raise self._error(ErrorCode.NOT_FOUND, operation)
        if deadline is not None and deadline.expired:
            raise self._error(ErrorCode.TIMEOUT, operation)

    def _do(self, request):
        self.context.meter.count("model.requests")
        return self.options.world.do(request, self.context.clock.now())

    def _each(self, operation, items, request, deadline):
        self._ready(operation, deadline)
        errors = []
        for position, item in enumerate(items):
            wanted = request(item)
            code = wanted if isinstance(wanted, ErrorCode) else self._do(wanted)
            if code is not None:
                errors.append(ItemError(position, self._error(code, operation)))
        return errors

    def _limited(self, operation, items, sizes):
        limits = self.limits
        fits = len(items) <= limits.batch_items and sum(sizes) <= limits.batch_bytes
        if not fits:
            raise self._error(ErrorCode.TOO_LARGE, operation)

    def _error(self, code, operation):
        return DriverError(code, operation=operation, provider="model")


class ModelQueue(Model, QueueDriver):
    kind = "queue"
    limits = Limits(batch_items=10, batch_bytes=1024 * 1024, item_bytes=256 * 1024)

    def send(self, messages, /, *, deadline):
        def request(message):
            if len(message.body) > self.limits.item_bytes:
                return ErrorCode.TOO_LARGE
            return Send(message.id, message.body, message.lane)

        self._ready("queue.send", deadline)
        self._limited("queue.send", messages, [len(message.body) for message in messages])
        return self._each("queue.send", messages, request, deadline)

    def receive(self, *, max_messages, wait, lease, deadline):
        self._ready("queue.receive", deadline)
        request = Receive(min(max_messages, self.limits.batch_items), lease)
        taken = self._do(request)
        if not taken and wait > ZERO:
            pause = min(wait, timedelta(seconds=deadline.remaining()))
            self.context.clock.sleep(pause.total_seconds())
            taken = self._do(request)
        return [
            Delivery(
                message=Message(id=one.id, body=one.body, lane=one.lane),
                receipt=one.receipt,
                expires=one.hidden_until,
                attempt=one.attempts,
            )
            for one in taken
        ]

    def extend(self, deliveries, /, *, lease, deadline):
        return self._each("queue.extend", deliveries, lambda one: Hide(one.receipt, lease), deadline)

    def nack(self, deliveries, /, *, delay=ZERO, deadline):
        def request(one):
            return Hide(one.receipt, delay, give_back=True)

        return self._each("queue.nack", deliveries, request, deadline)

    def ack(self, deliveries, /, *, deadline):
        return self._each("queue.ack", deliveries, lambda one: Ack(one.receipt), deadline)

    def depth(self, *, deadline):
        self._ready("queue.depth", deadline)
        return self._do(Depth()), None


class ModelStore(Model, StoreDriver):
    kind = "store"
    limits = Limits(batch_items=100, batch_bytes=8 * 1024 * 1024, item_bytes=400 * 1024)

    def put(self, records, /, *, condition=None, deadline):
        def request(record):
            if record.size > self.limits.item_bytes:
                return ErrorCode.TOO_LARGE
            told = tuple(sorted(record.attributes.items()))
            expires = record.expires_at and record.expires_at.replace(microsecond=0)
            return Put(record.key, record.body, told, expires, condition)

        self._ready("store.put", deadline)
        self._one_where_conditional("store.put", records, condition)
        self._limited("store.put", records, [record.size for record in records])
        return self._each("store.put", records, request, deadline)

    def get(self, keys, /, *, deadline):
        self._ready("store.get", deadline)
        self._limited("store.get", keys, [])
        found = [self._do(Get(key)) for key in keys]
        return [item and _record(key, item) for key, item in zip(keys, found, strict=True)]

    def query(self, partition, /, *, start="", end="", limit, cursor=None, deadline):
        self._ready("store.query", deadline)
        after = None if cursor is None else self._after(cursor, partition, start, end)
        pairs, more = self._do(Query(partition, start, end, after, min(limit, self.options.page)))
        records = [_record(key, item) for key, item in pairs]
        following = cursor_after(records[-1].key.sort, partition, start, end) if more else None
        return Page(records=records, cursor=following)

    def delete(self, keys, /, *, condition=None, deadline):
        self._ready("store.delete", deadline)
        self._one_where_conditional("store.delete", keys, condition)
        self._limited("store.delete", keys, [])
        return self._each("store.delete", keys, lambda key: Delete(key, condition), deadline)

    def purge(self, *, before, limit, deadline):
        self._ready("store.purge", deadline)
        return self._do(Purge(before, limit))

    def _one_where_conditional(self, operation, items, condition):
        if isinstance(condition, Version) and len(items) != 1:
            raise self._error(ErrorCode.INVALID, operation)

    def _after(self, cursor, *query):
        after = position_in(cursor, *query)
        if after is None:
            raise self._error(ErrorCode.INVALID, "store.query")
        return after


def _record(key: Any, item: Item) -> Record:
    return Record(
        key=key,
        body=item.body,
        attributes=dict(item.attributes),
        expires_at=item.expires_at,
        version=item.version,
    )
