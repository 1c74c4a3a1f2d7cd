"""What it costs to count what a hostile sender sends, beside as much from honest applications.

    cd tests && python -m pipeline.costs [--messages N]

Each shape is drained, sealed and reported in a process of its own, and so are as many events of as many bytes
that an application could have sent: numbered one by one, with few names, small counts and words. Printed are
CPU seconds and the most memory the process had, less what one event takes, beside the honest process's.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.forged import START, forged
from pipeline.world import NINE, PROJECT, captured, fresh_world, question
from tuppence import report
from tuppence.batch import MAX_EVENTS
from tuppence.config import load
from tuppence.report.period import Week

MESSAGES = 60
LARGEST = 2**40
WORDS = "Where is my order, and when will it be at my door? " * 20


def batch(instance: str, first: int, step: int, **columns: object) -> bytes:
    """Return a full batch whose numbers begin at `first`, each `step` above the one before."""
    last = first + step * (MAX_EVENTS - 1)
    rows = {
        "seq": [first] + [step] * (MAX_EVENTS - 1),
        "time": [START] + [0] * (MAX_EVENTS - 1),
        "type": ["question"] * MAX_EVENTS,
        "id": [],
    }
    return forged(
        rows | columns, count=MAX_EVENTS, instance=instance, first=first, last=last, captured=last, hello=True
    )


def every_second_number(n: int, *, harm: bool) -> bytes:
    step = 2 if harm else 1
    return batch("i1", 1 + n * step * MAX_EVENTS, step)


def scattered_instances(n: int, *, harm: bool) -> bytes:
    return batch(f"i{n}", 1, 300 if harm else 1)


def long_texts(n: int, *, harm: bool) -> bytes:
    texts = [f"{n} {row} " + ("a" * 900 if harm else WORDS[row % 97 :][:900]) for row in range(MAX_EVENTS)]
    return batch("i1", 1 + n * MAX_EVENTS, 1, data={"text": texts})


def huge_counts(n: int, *, harm: bool) -> bytes:
    spent = [LARGEST if harm else 700 + row % 999 for row in range(MAX_EVENTS)]
    return batch("i1", 1 + n * MAX_EVENTS, 1, data={"input_tokens": spent, "latency_ms": spent})


def many_names(n: int, *, harm: bool) -> bytes:
    names = [f"{n if harm else 0}-{row if harm else row % 20}" for row in range(MAX_EVENTS)]
    data = {"model": names, "cause": names, "sources": [[name] for name in names]}
    return batch("i1", 1 + n * MAX_EVENTS, 1, data=data)


def contradictions(n: int, *, harm: bool) -> bytes:
    return batch("i1", 1 if harm else 1 + n * MAX_EVENTS, 1, source=[f"{n}"] * MAX_EVENTS)


def outside_copies(n: int, *, harm: bool) -> bytes:
    ids = [f"e{row if harm else n * MAX_EVENTS + row}" for row in range(MAX_EVENTS)]
    columns = {"time": [START] + [0] * (MAX_EVENTS - 1), "type": ["x"] * MAX_EVENTS, "id": ids}
    return forged(columns | {"source": [f"{n}"] * MAX_EVENTS}, count=MAX_EVENTS)


SHAPES = {
    shape.__name__.replace("_", " "): shape
    for shape in (
        every_second_number,
        scattered_instances,
        long_texts,
        huge_counts,
        many_names,
        contradictions,
        outside_copies,
    )
}


def measured(name: str, messages: int) -> dict[str, float]:
    """Count a shape, or the honest counterpart of one, or one event; return what this process needed."""
    kind, _, shape = name.partition(":")
    bodies = [captured(question(1), instance="good")]
    if shape:
        bodies += [SHAPES[shape](n, harm=kind == "hostile") for n in range(messages)]
    with TemporaryDirectory() as folder, fresh_world(zone="UTC") as world:
        config = load(environ={}, folder=Path(folder), project=PROJECT, timezone="UTC", provider="local")
        for body in bodies:
            world.send(body)
        sent = sum(map(len, bodies))
        del bodies
        began = time.process_time()
        world.drain()
        world.seal()
        report.build(world.store, config, Week.of(NINE, world.zone), world.clock)
        seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "mebibytes": peak, "sent": sent}


def apart(name: str, messages: int) -> dict[str, float]:
    """Return what `measured` says in a process of its own."""
    command = [sys.executable, "-m", "pipeline.costs", "--one", name, "--messages", f"{messages}"]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def table(messages: int) -> Iterator[str]:
    """Yield the lines of the table."""
    idle = apart("idle", 0)
    yield f"{messages} messages each; CPU and memory above those of one event, {idle['mebibytes']:.0f} MiB"
    yield f"{'shape':<22}{'sent kB':>9}{'s':>8}{'honest':>8}{'x':>6}{'MiB':>8}{'honest':>8}{'x':>6}"
    for shape in SHAPES:
        evil, good = (apart(f"{kind}:{shape}", messages) for kind in ("hostile", "honest"))
        times = [one["seconds"] - idle["seconds"] for one in (evil, good)]
        sizes = [max(1.0, one["mebibytes"] - idle["mebibytes"]) for one in (evil, good)]
        yield (
            f"{shape:<22}{evil['sent'] / 1000:>9.0f}"
            f"{times[0]:>8.2f}{times[1]:>8.2f}{times[0] / times[1]:>6.1f}"
            f"{sizes[0]:>8.0f}{sizes[1]:>8.0f}{sizes[0] / sizes[1]:>6.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    lines = [json.dumps(measured(options.one, options.messages))] if options.one else table(options.messages)
    for line in lines:
        print(line, flush=True)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
