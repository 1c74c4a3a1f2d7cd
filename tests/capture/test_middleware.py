"""What the middleware records, and when."""

import asyncio
from wsgiref.util import setup_testing_defaults

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from tuppence import asgi, wsgi
from tuppence.capture.requests import template


def requests(client, sent):
    assert client.flush()
    return [event for event in sent()[1] if event.type == "request"]


async def item(request):
    return PlainTextResponse(request.path_params["item_id"])


async def broken(_):
    raise RuntimeError


async def stream(_):
    async def parts():
        yield b"a"
        yield b"b"

    return StreamingResponse(parts())


APP = Starlette(
    routes=[Route("/items/{item_id}", item), Route("/broken", broken), Route("/stream", stream)],
)


@pytest.fixture
def get(client):
    """Return a function that asks the application for a path and returns the answer's status."""
    app = asgi.Middleware(APP, client=client, user=lambda scope: "u1", source="api")

    async def ask(path):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://bot") as browser:
            return (await browser.get(path)).status_code

    return lambda path: asyncio.run(ask(path))


def test_a_request_is_recorded_by_its_route_and_never_with_its_query(client, get, sent):
    get("/items/jane@example.com?token=secret")

    [event] = requests(client, sent)
    assert (event.user, event.source) == ("u1", "api")
    assert event.data.pop("latency_ms") >= 0
    assert event.data == {"method": "GET", "route": "/items/{item_id}", "status": 200}


@pytest.mark.parametrize(("path", "status"), [("/broken", 500), ("/nothing/here", 404), ("/stream", 200)])
def test_every_answer_is_recorded_once(client, get, sent, path, status):
    assert get(path) == status

    assert [event.data["status"] for event in requests(client, sent)] == [status]


def test_an_asgi_request_is_recorded_only_after_its_last_byte(client):
    order = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await send({"type": "http.response.body", "body": b"b"})
        order.append("background work")

    async def send(message):
        order.append(message["type"])

    client.capture = lambda *_, **__: order.append("recorded")
    asyncio.run(asgi.Middleware(app, client=client)({"type": "http", "path": "/"}, None, send))

    assert order == [
        "http.response.start",
        "http.response.body",
        "http.response.body",
        "recorded",
        "background work",
    ]


def test_a_caller_that_goes_away_is_recorded_and_the_cancellation_goes_on(client, sent):
    async def app(scope, receive, send):
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(asgi.Middleware(app, client=client)({"type": "http", "path": "/"}, None, None))

    assert [event.data["status"] for event in requests(client, sent)] == [499]


def test_other_connections_pass_through(client):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    for kind in ("lifespan", "websocket"):
        asyncio.run(asgi.Middleware(app, client=client)({"type": kind}, None, None))

    assert seen == ["lifespan", "websocket"]
    assert client.stats.captured == 0


def serve(app, path="/"):
    """Serve one request as a WSGI server does, closing the response at the end."""
    environ = {}
    setup_testing_defaults(environ)
    environ |= {"PATH_INFO": path, "QUERY_STRING": "token=secret"}
    body = app(environ, lambda *_: None)
    try:
        return b"".join(body)
    finally:
        getattr(body, "close", lambda: None)()


def test_a_wsgi_request_is_recorded_when_its_response_is_closed(client, sent):
    def app(environ, start_response):
        start_response("201 Created", [])
        return [b"made"]

    assert serve(wsgi.Middleware(app, client=client), "/orders/123456/lines") == b"made"

    [event] = requests(client, sent)
    assert event.data.pop("latency_ms") >= 0
    assert event.data == {"method": "GET", "route": "/orders/{id}/lines", "status": 201}


@pytest.mark.parametrize("early", [True, False])
def test_a_wsgi_application_that_breaks_is_recorded_and_its_error_goes_on(client, sent, early):
    def app(environ, start_response):
        if early:
            raise RuntimeError
        start_response("200 OK", [])
        return body()

    def body():
        yield b"a"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        serve(wsgi.Middleware(app, client=client))

    assert [event.data["status"] for event in requests(client, sent)] == [500]


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/", "/"),
        ("", "/"),
        ("/v1/users/12345", "/v1/users/{id}"),
        ("/users/550e8400-e29b-41d4-a716-446655440000/edit", "/users/{id}/edit"),
        ("/mail/jane@example.com", "/mail/{id}"),
        ("/files/aVeryLongSegmentThatIsSurelyAValue", "/files/{id}"),
    ],
)
def test_a_path_without_a_known_route_keeps_only_what_reads_like_words(path, named):
    assert template(path) == named


def test_a_path_that_nothing_matched_is_not_repeated():
    assert template("/wp-admin/setup.php", status=404) == "(no route)"


def test_a_user_that_cannot_be_told_costs_the_request_nothing_else(client, sent, caplog):
    def fail(_):
        raise RuntimeError

    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"ok"]

    served = wsgi.Middleware(app, client=client, user=fail)
    for _ in range(2):
        served({"PATH_INFO": "/items", "REQUEST_METHOD": "GET"}, lambda *_: None).close()
    client.flush()

    assert [(event.user, event.data["route"]) for event in sent()[1]] == [(None, "/items")] * 2
    assert client.stats.ignored == 2
    [record] = caplog.records
    assert "`user` raised" in record.getMessage()


def test_a_status_that_is_no_number_does_not_fail_in_the_application(client, sent):
    def app(environ, start_response):
        start_response("OK", [])
        return [b"ok"]

    wsgi.Middleware(app, client=client)({"PATH_INFO": "/"}, lambda *_: None).close()
    client.flush()

    assert sent()[1][0].data["status"] == 500


@pytest.mark.parametrize("status", ["OK", "", b"OK", None, 200])
def test_no_status_of_a_wsgi_application_makes_the_middleware_raise(client, sent, status):
    def app(environ, start_response):
        start_response(status, [])
        return [b"ok"]

    assert serve(wsgi.Middleware(app, client=client)) == b"ok"

    assert [event.data["status"] for event in requests(client, sent)] == [500]


@pytest.mark.parametrize("message", [{}, None, {"type": "http.response.start"}])
def test_no_message_of_an_asgi_application_makes_the_middleware_raise(client, message):
    sent = []

    async def app(scope, receive, send):
        await send(message)

    async def send(message):
        sent.append(message)

    asyncio.run(asgi.Middleware(app, client=client)({"type": "http", "path": "/"}, None, send))

    assert sent == [message]
