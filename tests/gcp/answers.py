"""What Google's services answer, as stand-ins of theirs do."""

import json

from aws.faulty import Answer

JSON = {"Content-Type": "application/json"}


def told(answer, status=200, **headers):
    return Answer(status, {**JSON, **headers}, json.dumps(answer).encode())


def error_of(status, name, *, message="made up", details=(), **headers):
    error = {"code": status, "message": message, "status": name, "details": list(details)}
    return told({"error": error}, status, **headers)
