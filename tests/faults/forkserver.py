"""A warm parent that forks a process for each try at a stage's work, and kills it where it is told to.

python -m faults.forkserver        one request a line on standard input, one answer a line on standard output

Starting an interpreter and importing takes ten times longer than most of the work, so that hundreds of kills
would take hours and most would hit the imports. A child of this parent is what a new process is after its
imports: the parent has one thread, opens no file of tuppence's, makes no client and no driver, and so has
nothing to hand down. To the kernel, which is all that outlives a SIGKILL, both are processes like any other.
"""

import importlib
import json
import os
import select
import signal
import sys
import time
import traceback

from faults import stages

LAZY = (
    "jinja2 smtplib zstandard tuppence.local.mailer tuppence.local.plugin tuppence.local.queue "
    "tuppence.local.store tuppence.report.facts tuppence.report.gather tuppence.report.render "
    "tuppence.report.send"
)
"""What is loaded when first used; here, before the children are made."""


def main():
    for name in LAZY.split():
        importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        sys.stdout.write(json.dumps(attempt(**request)) + "\n")
        sys.stdout.flush()


def attempt(stage, arguments, kill_after):
    """Fork a child for a stage; kill it `kill_after` seconds after it has begun, or let it end."""
    said, saying = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(said)
        os._exit(work(stage, arguments, saying))
    os.close(saying)
    with os.fdopen(said, "rb", buffering=0) as pipe:
        begun = pipe.readline() == b"begun\n"
        since = time.monotonic()
        ended = bool(select.select([pipe], [], [], kill_after)[0])
        if not ended:
            os.kill(child, signal.SIGKILL)
        answer = pipe.read() if ended else b""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {
        "begun": begun,
        "killed": status == -signal.SIGKILL,
        "status": status,
        "seconds": time.monotonic() - since,
        "answer": json.loads(answer) if answer else None,
    }


def work(stage, arguments, saying):
    """Do the work in the child, and return its exit status."""
    try:
        answer = getattr(stages, stage)(lambda: os.write(saying, b"begun\n"), **arguments)
        os.write(saying, json.dumps(answer).encode())
    except BaseException:  # noqa: BLE001 - told on standard error, and by the status
        traceback.print_exc()
        sys.stderr.flush()
        return 1
    return 0


if __name__ == "__main__":
    main()
