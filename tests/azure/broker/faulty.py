"""The broker with faults: `python faulty.py PORT FOLDER` does to whoever calls it by number what networks do.

`faults.json` in the folder says which, how often and by which seed. `met.json` is how many operations came
and how often each fault was met. Who calls it `localhost` meets none.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

from main import Broker, _error, _messages, _place
from proton import Condition, Delivery, Message
from proton.reactor import Container

BY_NUMBER = "127.0.0.1"
TRACKED = {"tracking-id": "none"}
OF_TOKENS = "expired"
"""The one fault of tokens, which meets nothing else."""
CONDITIONS = {"throttling": ("com.microsoft:server-busy", 503), "failing": ("amqp:internal-error", 500)}


class FaultyBroker(Broker):
    """Serves queues, and fails now and then."""

    def __init__(self, port: int, folder: Path) -> None:
        super().__init__(port, folder)
        told = json.loads((folder / "faults.json").read_text("utf-8"))
        self.faults, self.rate = told["faults"], told["rate"]
        self.chance = random.Random(told["seed"])
        self.asked: Counter[str] = Counter()
        self.met: Counter[str] = Counter()

    def on_delivery(self, event):
        delivery = event.delivery
        link = delivery.link
        coming = link.is_receiver and delivery.readable and not delivery.partial
        settling = link.is_sender and delivery.updated and delivery in self.readers.get(link, (None, ()))[1]
        fault = self.next(link) if coming or settling else None
        if fault is None:
            super().on_delivery(event)
        elif fault == "refused":
            drop(link)
        elif fault == "lost":
            super().on_delivery(event)
            drop(link)
        elif settling:
            self.settled_wrong(delivery, fault)
        else:
            self.taken_wrong(link, delivery, fault)

    def next(self, link):
        """Return what this operation meets, or nothing."""
        if link.connection.remote_hostname != BY_NUMBER:
            return None
        of_tokens = link.is_receiver and _place(link.remote_target.address).endswith("$cbs")
        may = [fault for fault in self.faults if (fault == OF_TOKENS) == of_tokens]
        if not may:
            return None
        self.asked["tokens" if of_tokens else "calls"] += 1
        fault = self.chance.choice(may) if self.chance.random() < self.rate else None
        if fault is not None:
            self.met[fault] += 1
        (self.folder / "met.json").write_text(json.dumps([self.asked, self.met]), encoding="utf-8")
        return fault

    def settled_wrong(self, delivery, fault):
        """Let a message be settled without an answer, or refuse it."""
        entity, sent = self.readers[delivery.link]
        one, _ = sent.pop(delivery)
        if fault == "silent":
            if one.number in entity.held and delivery.remote_state == Delivery.ACCEPTED:
                entity.complete(one)
            return
        delivery.local.condition = Condition(CONDITIONS[fault][0], "made up", TRACKED)
        delivery.update(Delivery.REJECTED)
        delivery.settle()

    def taken_wrong(self, link, delivery, fault):
        """Take messages and a request in without an answer, or refuse them."""
        encoded = link.recv(delivery.pending)
        link.advance()
        message = Message()
        message.decode(encoded)
        place = _place(link.remote_target.address)
        if place.endswith("$cbs"):
            self.answer(link, message, {"status-code": 401, "status-description": "ExpiredToken"}, None)
        elif fault == "silent":
            self.taken_silently(message, encoded, place)
            return
        elif place.endswith("$management"):
            condition, status = CONDITIONS[fault]
            self.answer(link, message, _error(status, condition), None)
        else:
            delivery.local.condition = Condition(CONDITIONS[fault][0], "made up", TRACKED)
            delivery.update(Delivery.REJECTED)
            delivery.settle()
            link.flow(1)
            return
        delivery.update(Delivery.ACCEPTED)
        delivery.settle()
        link.flow(1)

    def taken_silently(self, message, encoded, place):
        """Take messages in; nobody is told."""
        entity = None if place.endswith("$management") else self.entity(place)
        if entity is not None:
            for one in _messages(message, encoded):
                entity.put(one, one.id, time.time())
            self.deliver_all()


def drop(link) -> None:
    """Break the connection off, with all that was to be sent on it."""
    transport = link.connection.transport
    transport.close_tail()
    transport.close_head()


if __name__ == "__main__":
    Container(FaultyBroker(int(sys.argv[1]), Path(sys.argv[2]))).run()
