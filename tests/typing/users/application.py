"""An application, as its developer writes it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, assert_type

import tuppence

Scope = MutableMapping[str, Any]
Channel = Callable[..., Awaitable[Any]]

tp = tuppence.Client()
from_file = tuppence.Client("tuppence.toml")
with_settings = tuppence.Client(provider="local", project="mybot")
assert_type(tp, tuppence.Client)


def answer(text: str, user: str, session: str) -> str:
    with tp.question(text, user=user, session=session, source="web", plan="free") as q:
        assert_type(q, tuppence.Question)
        assert_type(q.id, str)
        if not text:
            assert_type(q.invalid("empty"), None)
            return ""
        q.answered(model="llama-3.1-8b", input_tokens=210, output_tokens=95, score=0.83, sources=["faq#7"])
        q.no_match()
        q.no_match("no source", model="llama-3.1-8b", score=0.1)
        q.refused("medical advice", rule=7)
        q.timeout(cause="upstream", sources=("a", "b"))
        try:
            assert_type(q.rate_limited(), None)
        except RuntimeError as error:
            q.error(error, input_tokens=210)
        return "Yes."  # the block swallows nothing, so that no other return is missing


async def answer_later(text: str) -> str:
    async with tp.question(text) as q:
        assert_type(q, tuppence.Question)
        q.error(cause="upstream")
    assert_type(await tp.aflush(timeout=1), bool)
    return "No."


def ends() -> tuppence.Stats:
    assert_type(tp.capture("signup", user="u1", plan="free", seats=3), int)
    assert_type(tp.feedback("i1-1", useful=True, user="u1", source="web", note="thanks"), int)
    assert_type(tp.stats.ignored, int)
    assert_type(tp.flush(timeout=0.5), bool)
    with tuppence.Client() as short:
        assert_type(short, tuppence.Client)
        assert_type(short.close(), bool)
    assert_type(tp.stats.captured, int)
    assert_type(tp.stats.durable, bool)
    assert_type(tp.stats.problem, str)
    return tp.stats


async def asgi(scope: Scope, receive: Channel, send: Channel) -> None:
    await send({"type": "http.response.start", "status": 200})


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"ok"]


def who(scope: Scope) -> str | None:
    return None


served = tuppence.asgi.Middleware(asgi, client=tp, user=who, source="api")
served_again = tuppence.asgi.Middleware(served, client=tp)
served_old = tuppence.wsgi.Middleware(wsgi, client=tp)

try:
    tuppence.Client(budget={"monthly": 0.0})
except tuppence.ConfigError as error:
    told: tuppence.TuppenceError = error

assert_type(tuppence.__version__, str)
assert_type(tuppence.Outcome("answered"), tuppence.Outcome)
asyncio.run(answer_later("?"))
