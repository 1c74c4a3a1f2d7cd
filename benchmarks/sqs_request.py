"""What sending to SQS costs an application: our own signed requests, and boto3's, in one run.

    python benchmarks/sqs_request.py [--json]

Each sends batches of the usual size to the same server on this machine, from a process of its own: how long
the imports and the first request take, how much memory they add, and the CPU time of each further request,
all of the client alone. Over TLS, with the machine's certificates and the server's own to trust. The ratios
move less from machine to machine than the numbers do.
"""

import json
import os
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from threading import Thread
from typing import Final

import trustme

BODY: Final = bytes(range(256)) * 120
"""Some 30 KB: a batch of seven hundred events."""
REQUESTS: Final = 300
RUNS: Final = 5
ENVIRONMENT: Final = {
    **os.environ,
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-west-2",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class Service(BaseHTTPRequestHandler):
    """Takes what it is sent."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        taken = [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in sent["Entries"]]
        answer = json.dumps({"Successful": taken}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name for it
        pass


def ours(url: str) -> Callable[[], object]:
    from tuppence.clock import Deadline, SystemClock
    from tuppence.drivers import Context, Message
    from tuppence.meter import UnitMeter
    from tuppence_aws.queue import SqsQueue

    context = Context(project="bot", meter=UnitMeter(), clock=SystemClock())
    queue = SqsQueue(SqsQueue.Options(endpoint=url), context)
    message = Message(id="a" * 32, body=BODY, lane="a")
    return lambda: queue.send([message], deadline=Deadline.after(10))


def boto3(url: str) -> Callable[[], object]:
    import boto3 as sdk

    client = sdk.client("sqs", endpoint_url=url)
    entry = {
        "Id": "0",
        "MessageBody": "a" * 32,
        "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": BODY}},
        "MessageGroupId": "a",
        "MessageDeduplicationId": "a" * 32,
    }
    return lambda: client.send_message_batch(QueueUrl="tuppence-bot.fifo", Entries=[entry])


def resident() -> int:
    """Return the bytes of memory this process has, on Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


WAYS: Final = {"ours": ours, "boto3": boto3}


def measured(way: str, url: str) -> dict[str, float]:
    """Return what one way of sending costs, in this process, which has done nothing else yet."""
    import tuppence.capture.client  # noqa: F401 - an application that captures has it anyway

    memory, start = resident(), time.perf_counter()
    send = WAYS[way](url)
    send()
    ready = time.perf_counter() - start
    added = resident() - memory
    before = time.process_time()
    for _ in range(REQUESTS):
        send()
    each = (time.process_time() - before) / REQUESTS
    return {"set-up ms": ready * 1e3, "memory MB": added / 1024**2, "CPU us a request": each * 1e6}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        costs = compared(Path(folder) / "trusted.pem")
    if "--json" in sys.argv:
        print(json.dumps(costs))
        return
    print(f"{'':18}{'ours':>10}{'boto3':>10}{'boto3 / ours':>15}")
    for name, cost in costs["ours"].items():
        theirs = costs["boto3"][name]
        print(f"{name:18}{cost:10.1f}{theirs:10.1f}{theirs / cost:15.1f}")


def compared(trusted: Path) -> dict[str, dict[str, float]]:
    """Return the median cost of each way; who is trusted stands in the file."""
    authority = trustme.CA()
    machine = ssl.get_default_verify_paths().cafile
    trusted.write_bytes((Path(machine).read_bytes() if machine else b"") + authority.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://localhost:{server.server_port}"
    environment = {**ENVIRONMENT, "AWS_CA_BUNDLE": str(trusted)}
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(RUNS):
        for way, found in runs.items():
            command = [sys.executable, str(Path(__file__)), "--measure", way, url]
            found.append(json.loads(subprocess.check_output(command, env=environment)))
    server.shutdown()
    return {
        way: {name: median(run[name] for run in found) for name in found[0]} for way, found in runs.items()
    }


if __name__ == "__main__":
    if "--measure" in sys.argv:
        print(json.dumps(measured(*sys.argv[-2:])))
    else:
        main()
