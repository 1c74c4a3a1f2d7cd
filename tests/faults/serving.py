"""An application for servers that run it in several processes. WSGI as `wsgi`, ASGI as `asgi`.

It appends to the file `promised` in the working directory a line for each call: what became of it.
"""

import os

import tuppence

promised = os.open("promised", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
client = tuppence.Client("tuppence.toml")


def promise(number):
    os.write(promised, b"%s %d\n" % (b"captured" if number else b"refused", os.getpid()))


def record():
    """Capture an event, a question and something that can be neither."""
    promise(client.capture("asked", process=os.getpid()))
    with client.question("Which process answers?") as question:
        question.answered()
    promise(bool(question.id))
    promise(client.capture(""))


def wsgi(environ, start_response):
    record()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Yes."]


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    record()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"Yes."})


promise(client.capture("started", process=os.getpid()))
