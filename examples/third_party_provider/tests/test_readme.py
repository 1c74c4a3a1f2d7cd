"""What the README says of options and permissions is so."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from tuppence.clock import SystemClock
from tuppence.drivers import Context, Role
from tuppence.meter import UnitMeter

from tuppence_redis.queue import RedisQueue
from tuppence_redis.server import ServerOptions

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_each_option_is_described_with_its_default():
    described = {}
    for names, defaults in re.findall(r"^\| (`[a-z_`, ]+`) \| ([^|]+) \|", README, re.MULTILINE):
        described |= zip(names.split(", "), defaults.split(", "), strict=True)

    fields = msgspec.structs.fields(ServerOptions)
    written = {f"`{field.name}`": f"`{msgspec.json.encode(field.default).decode()}`" for field in fields}
    assert described == {**written, "`password`": "none"}


def test_the_rule_for_an_application_is_what_a_producer_is_permitted():
    context = Context(project="mybot", meter=UnitMeter(), clock=SystemClock())

    permissions = RedisQueue(ServerOptions(), context).permissions(Role.PRODUCER)

    rules = dict.fromkeys([p.action for p in permissions] + [p.resource for p in permissions])
    assert f"ACL SETUSER mybot on >secret {' '.join(rules)}\n" in README
