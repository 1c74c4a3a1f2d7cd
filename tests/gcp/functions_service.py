"""A stand-in of what Google says of functions and of who may call them, on 127.0.0.1.

As https://cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions and
https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services/getIamPolicy have it (read
November 2026). There is no client of Google's here that could check it.
"""

from __future__ import annotations

from aws.faulty import Faulty
from gcp.answers import error_of, told

PLACE = "projects/proj/locations/us-central1"


class FunctionsService(Faulty):
    """The server. `functions` are by name, `members` are those who may call each."""

    def __init__(self):
        super().__init__("http://127.0.0.1:1")
        self._server.socket.listen(64)
        self.functions = {}
        self.members = {}

    def deploy(self, project, *parts, **changed):
        """Let a project have functions, as deployment makes them."""
        for part in parts:
            name = f"tuppence-{project}-{part}"
            self.functions[name] = {
                "name": f"{PLACE}/functions/{name}",
                "state": "ACTIVE",
                "environment": "GEN_2",
                "buildConfig": {"runtime": "python313", "entryPoint": "run"},
                "serviceConfig": {"service": f"{PLACE}/services/{name}", "timeoutSeconds": 900},
                **changed,
            }
            self.members[name] = [f"serviceAccount:tuppence-{project}-invoke@proj.iam.gserviceaccount.com"]

    def answer(self, request):
        place, _, name = request.path.removeprefix("/v2/").rpartition("/")
        if request.path.endswith(":getIamPolicy"):
            members = self.members[name.removesuffix(":getIamPolicy")]
            return told({"bindings": [{"role": "roles/run.invoker", "members": members}]})
        if place != f"{PLACE}/functions" or name not in self.functions:
            return error_of(404, "NOT_FOUND", message="Resource was not found")
        return told(self.functions[name])
