"""A broker that speaks the AMQP of Service Bus, for tests: `python main.py PORT FOLDER`.

The wire is real: AMQP 1.0 by Apache Qpid Proton, with the official client at the other end. What the service
does is ours (entity.py). A file `<queue>.json` in the folder is a queue, its content what its
`Entity` is made of.
It listens on 127.0.0.1 only, without TLS, takes every token, and has no sessions, topics or transactions.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from pathlib import Path

from cproton import pn_delivery
from entity import DEAD_LETTERS, Entity, Held
from proton import Condition, Data, Delivery, Described, Message, Terminus, int32, symbol, timestamp
from proton.handlers import MessagingHandler
from proton.reactor import Container

BACKLOG = 128
"""Connections that may wait. Of Proton's own ten, sixteen at once leave some to try again after a second."""
TRACKED = {symbol("tracking-id"): "none"}
"""The client waits for ever for an error without this third part."""
OK = {"statusCode": int32(200), "statusDescription": "OK"}


class Broker(MessagingHandler):
    """Serves the queues of a folder."""

    def __init__(self, port: int, folder: Path) -> None:
        super().__init__(prefetch=100, auto_accept=False, auto_settle=False)
        self.port, self.folder = port, folder
        self.entities: dict[str, Entity] = {}
        self.readers: dict[object, tuple[Entity, dict[object, tuple[Held, uuid.UUID]]]] = {}
        self.answers: dict[tuple[object, str], object] = {}

    def on_start(self, event):
        self.container = event.container
        acceptor = self.container.listen(f"127.0.0.1:{self.port}")
        acceptor._selectable._delegate.listen(BACKLOG)

    def on_link_opening(self, event):
        link = event.link
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        place = _place(link.remote_source.address if link.is_sender else link.remote_target.address)
        if place.endswith(("$cbs", "$management")):
            if link.is_sender:
                self.answers[link.connection, link.remote_target.address] = link
            return
        entity = self.entity(place)
        if entity is None:
            self.refuse(link, place)
        elif link.is_sender:
            self.readers[link] = (entity, {})

    def on_link_closing(self, event):
        self.readers.pop(event.link, None)

    def on_disconnected(self, event):
        for link in [link for link in self.readers if link.connection == event.connection]:
            del self.readers[link]

    def on_link_flow(self, event):
        if event.link in self.readers:
            self.deliver(event.link)

    def on_sendable(self, event):
        if event.sender in self.readers:
            self.deliver(event.sender)

    def on_delivery(self, event):
        delivery = event.delivery
        if delivery.link.is_receiver:
            if delivery.readable and not delivery.partial:
                self.take_in(delivery.link, delivery)
        elif delivery.updated and delivery.link in self.readers:
            self.settle(delivery)

    def entity(self, place: str) -> Entity | None:
        """Return a queue as long as its file is there, or what it has set aside."""
        name, _, aside = place.partition("/")
        file = self.folder / f"{name}.json"
        if not file.exists():
            self.entities.pop(name, None)
            return None
        if name not in self.entities:
            dead = Entity(f"{name}/{DEAD_LETTERS}")
            self.entities[name] = Entity(name, dead=dead, **json.loads(file.read_text("utf-8")))
            dead.lock = self.entities[name].lock
        return self.entities[name].dead if aside else self.entities[name]

    def refuse(self, link, place: str) -> None:
        """Attach with nothing at the other end, then detach with the reason, as the service does."""
        (link.source if link.is_sender else link.target).type = Terminus.UNSPECIFIED
        words = f"The messaging entity '{place}' could not be found."
        self.container.schedule(0, Refusal(link, Condition("amqp:not-found", words, TRACKED)))

    def deliver(self, link) -> None:
        """Send messages for as long as there are some and they are wanted."""
        entity, sent = self.readers[link]
        while link.credit > 0 and (one := entity.take(time.time())) is not None:
            delivery = Delivery.wrap(pn_delivery(link._impl, one.token.bytes_le))
            link.stream(_stamped(one, locked=True).encode())
            link.advance()
            sent[delivery] = (one, one.token)
        if link.drain_mode:
            link.drained()

    def deliver_all(self) -> None:
        """See whether anybody waits for what has become free."""
        for link in list(self.readers):
            self.deliver(link)

    def settle(self, delivery) -> None:
        """Do what a receiver says of a message, if it still holds the lock."""
        entity, sent = self.readers[delivery.link]
        one, token = sent.pop(delivery, (None, None))
        if one is None:
            delivery.settle()
            return
        if entity.locked(token, time.time()) is not one:
            delivery.local.condition = Condition("com.microsoft:message-lock-lost", "lock lost", TRACKED)
            delivery.update(Delivery.REJECTED)
        else:
            if delivery.remote_state == Delivery.ACCEPTED:
                entity.complete(one)
            else:
                entity.release(one)
            delivery.update(delivery.remote_state or Delivery.ACCEPTED)
        delivery.settle()
        self.deliver_all()

    def take_in(self, link, delivery) -> None:
        """Take what a sender sent: a request, a message, or a batch of them."""
        encoded = link.recv(delivery.pending)
        link.advance()
        message = Message()
        message.decode(encoded)
        place = _place(link.remote_target.address)
        if place.endswith("$cbs"):
            told = {"status-code": 202, "status-description": "OK"}
            self.answer(link, message, {**told, "statusCode": 202, "statusDescription": "OK"}, None)
        elif place.endswith("$management"):
            self.manage(link, message, place.removesuffix("/$management"))
        elif (entity := self.entity(place)) is not None:
            for one in _messages(message, encoded):
                entity.put(one, one.id, time.time())
        delivery.update(Delivery.ACCEPTED)
        delivery.settle()
        link.flow(1)
        self.deliver_all()

    def answer(self, link, asked, properties, body) -> None:
        """Answer a request on the link that was opened for answers."""
        answering = self.answers.get((link.connection, asked.reply_to)) or next(
            other
            for (connection, _), other in self.answers.items()
            if connection == link.connection
            and _place(other.remote_source.address) == _place(link.remote_target.address)
        )
        answering.send(Message(body=body, correlation_id=asked.id, properties=properties))

    def manage(self, link, asked, place: str) -> None:
        """Do what a receiver asks beside its messages."""
        entity, operation = self.entity(place), asked.properties.get("operation")
        if entity is None:
            self.answer(link, asked, _error(404, "amqp:not-found"), None)
        elif operation == "com.microsoft:renew-lock":
            self.renew(link, asked, entity)
        elif operation == "com.microsoft:peek-message":
            found = entity.seen_from(asked.body["from-sequence-number"], asked.body["message-count"])
            body = {"messages": [{"message": _stamped(one, locked=False).encode()} for one in found]}
            none = {"statusCode": int32(204), "statusDescription": "No messages"}
            self.answer(link, asked, OK if found else none, body if found else None)
        else:
            self.answer(link, asked, _error(501, "amqp:not-implemented"), None)

    def renew(self, link, asked, entity: Entity) -> None:
        """Lock messages for longer."""
        now, tokens = time.time(), asked.body["lock-tokens"]
        wanted = [uuid.UUID(str(token)) for token in getattr(tokens, "elements", tokens)]
        found = [entity.locked(token, now) for token in wanted]
        if None in found:
            self.answer(link, asked, _error(410, "com.microsoft:message-lock-lost"), None)
        else:
            body = {"expirations": [_moment(entity.renew(one, now)) for one in found]}
            self.answer(link, asked, OK, body)


class Refusal:
    """Detaches a link once it is attached."""

    def __init__(self, link, condition: Condition) -> None:
        self.link, self.condition = link, condition

    def on_timer_task(self, event):
        self.link.condition = self.condition
        self.link.close()


def _place(address: str | None) -> str:
    """Return queue and part of an address, with or without the host before them."""
    path = (address or "").partition("://")
    place = path[2].partition("/")[2] if path[1] else path[0]
    return place.strip("/").replace("$DeadLetterQueue", DEAD_LETTERS)


def _messages(message, encoded: bytes) -> list[Message]:
    """Return the messages of a transfer: itself, or those that its data sections are."""
    sections = _data_sections(encoded)
    if not sections or not all(section[:2] in {b"\x00S", b"\x00\x80"} for section in sections):
        return [message]
    inner = [Message() for _ in sections]
    for one, section in zip(inner, sections, strict=True):
        one.decode(section)
    return inner


def _data_sections(encoded: bytes) -> list[bytes]:
    """Return what the data sections at the top of an encoded message hold."""
    found, at = [], 0
    while at < len(encoded):
        data = Data()
        length = data.decode(encoded[at:])
        data.rewind()
        data.next()
        section = data.get_object()
        if isinstance(section, Described) and section.descriptor in {0x75, "amqp:data:binary"}:
            found.append(bytes(section.value))
        at += length
    return found


def _stamped(one: Held, *, locked: bool) -> Message:
    """Return a message with what the service says of it."""
    message = one.message
    told = dict(message.annotations or {})
    told[symbol("x-opt-sequence-number")] = one.number
    told[symbol("x-opt-enqueued-time")] = _moment(one.enqueued)
    if locked:
        told[symbol("x-opt-locked-until")] = _moment(one.until)
    message.annotations = told
    message.delivery_count = max(0, one.deliveries - 1)
    message.durable = True  # without a field that is set, the header with the count is left out
    return message


def _error(status: int, condition: str) -> dict[str, object]:
    told = {"statusCode": int32(status), "statusDescription": condition}
    return {**told, "errorCondition": symbol(condition)}


def _moment(seconds: float):
    return timestamp(int(seconds * 1000))


if __name__ == "__main__":
    Container(Broker(int(sys.argv[1]), Path(sys.argv[2]))).run()
