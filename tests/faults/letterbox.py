"""An SMTP server on the loopback interface that counts the mails it accepts."""

from collections import Counter
from contextlib import contextmanager

from aiosmtpd.controller import Controller


class Letterbox(Controller):
    """Serves on a free port. `accepted` counts mails by recipient."""

    def __init__(self):
        super().__init__(self, hostname="127.0.0.1", port=0)
        self.accepted = Counter()

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - the server's name for it
        self.accepted.update(envelope.rcpt_tos)
        return "250 OK"

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def letterbox():
    server = Letterbox()
    server.start()
    try:
        yield server
    finally:
        server.stop()
