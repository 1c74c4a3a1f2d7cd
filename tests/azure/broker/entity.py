"""What a queue of Service Bus does with messages, without the wire.

As https://learn.microsoft.com/azure/service-bus-messaging/message-transfers-locks-settlement says it does.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

DEAD_LETTERS = "$deadletterqueue"


@dataclass
class Held:
    """A message that a queue holds; `until` is when its lock ends."""

    number: int
    message: object
    enqueued: float
    deliveries: int = 0
    token: uuid.UUID | None = None
    until: float = 0.0


@dataclass
class Entity:
    """A queue, or what it has set aside.

    Attributes:
        lock: seconds for which a delivered message is locked.
        deliveries: how often a message is delivered before it is set aside; 0 never does.
        window: seconds for which the id of a message is remembered; 0 forgets it at once.

    """

    name: str
    lock: float = 30.0
    deliveries: int = 0
    window: float = 0.0
    dead: Entity | None = None
    held: dict[int, Held] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    last: int = 0

    def put(self, message: object, name: str | None, now: float) -> None:
        """Take a message in, unless its id came within the window."""
        self.seen = {one: until for one, until in self.seen.items() if until > now}
        if self.window and name is not None:
            if name in self.seen:
                return
            self.seen[name] = now + self.window
        self.last += 1
        self.held[self.last] = Held(self.last, message, now)

    def take(self, now: float) -> Held | None:
        """Lock and return the first message that nobody holds."""
        for one in list(self.held.values()):
            if one.token is not None and one.until <= now:
                self.release(one)
        for one in self.held.values():
            if one.token is None:
                one.token, one.until, one.deliveries = uuid.uuid4(), now + self.lock, one.deliveries + 1
                return one
        return None

    def locked(self, token: uuid.UUID, now: float) -> Held | None:
        """Return the message that is locked under a token, unless the lock has ended."""
        return next((one for one in self.held.values() if one.token == token and one.until > now), None)

    def renew(self, one: Held, now: float) -> float:
        """Lock for longer; return until when."""
        one.until = now + self.lock
        return one.until

    def complete(self, one: Held) -> None:
        """Remove for good."""
        del self.held[one.number]

    def release(self, one: Held) -> None:
        """Give a message back, or set it aside where it was delivered too often."""
        one.token = None
        if self.dead is not None and self.deliveries and one.deliveries >= self.deliveries:
            del self.held[one.number]
            self.dead.put(one.message, None, one.enqueued)

    def seen_from(self, number: int, most: int) -> list[Held]:
        """Return messages from a sequence number on, locked ones too."""
        return [one for one in self.held.values() if one.number >= number][:most]
