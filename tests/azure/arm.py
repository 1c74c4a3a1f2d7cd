"""A stand-in for Azure Resource Manager on 127.0.0.1: function apps and their settings, and who may ask.

It answers as https://learn.microsoft.com/rest/api/appservice/web-apps shows; `scheduler/test_arm.py` has
Microsoft's own client read it. It also gives out the tokens that it takes, as a function app's own identity
gets them (https://learn.microsoft.com/azure/app-service/overview-managed-identity, read November 2026).
"""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SUBSCRIPTION = "34adfa4f-cedf-4dc0-ba29-b6d1a69ab345"
GROUP = "tuppence"
HEADER = "a header that the app alone knows"
TOKEN = "a token for Resource Manager"
MANAGEMENT = "https://management.azure.com"
SITE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.Web/sites/(?P<name>[^/]+)(?P<rest>.*)"
)


@dataclass
class App:
    """A function app."""

    settings: dict[str, str] = field(default_factory=dict)
    state: str = "Running"
    functions: dict[str, bool] = field(default_factory=dict)  # whether each is disabled
    writes: int = 0
    synced: int = 0


class Arm:
    """The service, and what is in it."""

    def __init__(self):
        self.apps: dict[str, App] = {}
        self.refusals: dict[str, tuple[int, str]] = {}
        self.after_writing = lambda app: None
        self.lock = threading.Lock()
        self.url = ""

    @property
    def environment(self):
        """Return what tells Microsoft's library of identities where to ask, and to ask nobody else."""
        return {
            "IDENTITY_ENDPOINT": f"{self.url}/msi/token",
            "IDENTITY_HEADER": HEADER,
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        }

    @property
    def options(self):
        return {"subscription": SUBSCRIPTION, "resource_group": GROUP, "endpoint": self.url}

    @contextmanager
    def running(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    @contextmanager
    def project(self, app):
        """Make the two apps of a project, whose names begin so, and take them away again."""
        names = [f"{app}-processor", f"{app}-reporter"]
        self.apps |= {name: App(settings={"FUNCTIONS_EXTENSION_VERSION": "~4"}) for name in names}
        try:
            yield names
        finally:
            for name in names:
                del self.apps[name]

    def answer(self, method, path, headers, body):
        """Return status and document."""
        asked, query = urlsplit(path), parse_qs(urlsplit(path).query)
        if asked.path == "/msi/token":
            return self._token(query, headers)
        if headers.get("Authorization") != f"Bearer {TOKEN}":
            return error(401, "InvalidAuthenticationToken")
        found = SITE.fullmatch(asked.path)
        if not query.get("api-version") or found is None:
            return error(400, "MissingApiVersionParameter")
        if found["rest"] in self.refusals:
            return error(*self.refusals[found["rest"]])
        missing = {
            "SubscriptionNotFound": found["subscription"] != SUBSCRIPTION,
            "ResourceGroupNotFound": found["group"] != GROUP,
            "ResourceNotFound": found["name"] not in self.apps,
        }
        for code, is_missing in missing.items():
            if is_missing:
                return error(404, code)
        return self._of_app(method, found["rest"], found["name"], self.apps[found["name"]], body)

    def _token(self, query, headers):
        if headers.get("X-IDENTITY-HEADER") != HEADER or query.get("resource") != [MANAGEMENT]:
            return error(400, "invalid_request")
        expires = str(int(time.time()) + 3600)
        told = {"access_token": TOKEN, "expires_on": expires, "resource": MANAGEMENT, "token_type": "Bearer"}
        return 200, told

    def _of_app(self, method, rest, name, app, body):
        about = {"id": f"/…/sites/{name}", "location": "UK South"}
        settings = {**about, "name": "appsettings", "type": "Microsoft.Web/sites/config"}
        match method, rest:
            case "GET", "":
                about |= {"name": name, "type": "Microsoft.Web/sites", "kind": "functionapp,linux"}
                return 200, {**about, "properties": {"state": app.state, "enabled": True}}
            case "GET", "/functions":
                return 200, {
                    "value": [
                        {
                            "name": f"{name}/{function}",
                            "type": "Microsoft.Web/sites/functions",
                            "properties": {"name": function, "isDisabled": disabled},
                        }
                        for function, disabled in app.functions.items()
                    ]
                }
            case "POST", "/config/appsettings/list":
                return 200, {**settings, "properties": dict(app.settings)}
            case "PUT", "/config/appsettings":
                with self.lock:
                    app.settings = dict(json.loads(body)["properties"])
                    app.writes += 1
                    self.after_writing(app)
                return 200, {**settings, "properties": dict(app.settings)}
            case "POST", "/syncfunctiontriggers":
                app.synced += 1
                return 204, None
        return error(404, "InvalidResourceType")


def error(status, code):
    return status, {"error": {"code": code, "message": "made up"}}


def _handler(arm):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, document = arm.answer(self.command, self.path, self.headers, body)
            content = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            if content:
                self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do  # noqa: N815 - the server looks for these names

        def log_message(self, *_):
            pass

    return Handler
