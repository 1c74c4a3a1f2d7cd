"""Compute drivers that are bad, each in one way."""

from __future__ import annotations

import base64
from dataclasses import replace

from suite.bad.drivers import found_by
from tuppence.drivers import Feature
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.compute import LocalCompute


class Consuming(LocalCompute):
    """What alters deliveries on their way to the handler derives from this."""

    def altered(self, delivery):
        raise NotImplementedError

    def consumer(self, handle, /):
        return super().consumer(lambda deliveries: handle([self.altered(one) for one in deliveries]))


class Running(LocalCompute):
    """What alters a run on its way to the handler derives from this."""

    def altered(self, run):
        raise NotImplementedError

    def runner(self, handle, /):
        return super().runner(lambda run: handle(self.altered(run)))


def body(delivery, content):
    return replace(delivery, message=replace(delivery.message, body=content))


@found_by("a body is bytes", "messages arrive as they were sent")
class TakesBodiesForText(Consuming):
    """Takes every body for text."""

    def altered(self, delivery):
        return body(delivery, delivery.message.body.decode(errors="replace").encode())


@found_by("a body is bytes")
class DecodesBase64(Consuming):
    """Decodes a body that looks like base64."""

    def altered(self, delivery):
        try:
            return body(delivery, base64.b64decode(delivery.message.body, validate=True))
        except ValueError:
            return delivery


@found_by("a body is bytes")
class CutsBodies(Consuming):
    """Cuts a body at 32 KiB."""

    def altered(self, delivery):
        return body(delivery, delivery.message.body[: 32 * 1024])


@found_by("messages arrive as they were sent")
class NumbersMessages(Consuming):
    """Gives messages ids of its own."""

    def altered(self, delivery):
        return replace(delivery, message=replace(delivery.message, id=f"number-{delivery.message.id}"))


@found_by("messages arrive as they were sent")
class TurnsAround(LocalCompute):
    """Hands over messages the last first."""

    def consumer(self, handle, /):
        def turned(deliveries):
            last = len(deliveries) - 1
            return [replace(one, position=last - one.position) for one in handle(deliveries[::-1])]

        return super().consumer(turned)


@found_by("a delivery says when its lease ends")
class SaysNoZone(Consuming):
    """Says when a lease ends, and not in which zone."""

    def altered(self, delivery):
        return replace(delivery, expires=delivery.expires.replace(tzinfo=None))


@found_by("a delivery says when its lease ends")
class CountsFromZero(Consuming):
    """Counts attempts from 0."""

    def altered(self, delivery):
        return replace(delivery, attempt=0)


@found_by("only what failed comes again", "what follows a failure in its lane may come again too")
class SweepsWithOne(LocalCompute):
    """Has everything delivered again for one message that failed."""

    def consumer(self, handle, /):
        def consume(deliveries):
            errors = handle(deliveries)
            return [replace(errors[0], position=n) for n in range(len(deliveries))] if errors else []

        return super().consumer(consume)


@found_by("only what failed comes again")
class StopsAtTheFirstFailure(LocalCompute):
    """Tells the platform of the first failure, and of no other."""

    def consumer(self, handle, /):
        return super().consumer(lambda deliveries: list(handle(deliveries))[:1])


@found_by("an empty call is nothing to do")
class WantsAMessage(LocalCompute):
    """Fails when it is called without messages."""

    def consumer(self, handle, /):
        consume = super().consumer(handle)
        return lambda deliveries: consume(deliveries) if deliveries[0] else []


@found_by("a consumer is called again and again")
class RemembersFailures(LocalCompute):
    """Takes what failed in one call for failed in the next."""

    def consumer(self, handle, /):
        failed = []

        def consume(deliveries):
            failed.extend(handle(deliveries))
            return failed

        return super().consumer(consume)


@found_by("everything comes again when the handler raises")
class SwallowsBugs(LocalCompute):
    """Takes a handler that died for one that is done."""

    def consumer(self, handle, /):
        def consume(deliveries):
            try:
                return handle(deliveries)
            except Exception:  # noqa: BLE001 - that is what is bad
                return []

        return consume


@found_by("everything comes again when the handler raises")
class BlamesTheFirst(LocalCompute):
    """Has the first message delivered again when the handler died."""

    def consumer(self, handle, /):
        consume = super().consumer(handle)
        return lambda deliveries: [
            one for one in consume(deliveries) if one.position == 0 or not one.whole_call
        ][: 1 if len(consume(deliveries)) == len(deliveries) else None]


@found_by("a run that raises is not done")
class SwallowsFailedRuns(LocalCompute):
    """Takes a run that died for one that is done."""

    def runner(self, handle, /):
        def run(one):
            try:
                handle(one)
            except Exception:  # noqa: BLE001 - that is what is bad
                return

        return run


@found_by("a run arrives with its name and payload")
class DropsPayloads(Running):
    """Runs a job without its payload."""

    def altered(self, run):
        return replace(run, payload={})


@found_by("a run arrives with its name and payload")
class EscapesPayloads(Running):
    """Escapes a payload for a format that the platform does not use."""

    def altered(self, run):
        return replace(run, payload={n: t.replace("&", "&amp;") for n, t in run.payload.items()})


@found_by("a run arrives with its name and payload")
class NamesRunsAnew(Running):
    """Gives each call of a run another id, so that no repeat can be told."""

    def altered(self, run):
        return replace(run, run_id=f"{run.run_id}-{id(run)}")


@found_by("each run is its own")
class RunsOneJob(Running):
    """Runs the same job, whatever the schedule says."""

    def altered(self, run):
        return replace(run, job="seal")


@found_by("each run is its own")
class RepeatsTheFirst(LocalCompute):
    """Runs again what it ran first."""

    def runner(self, handle, /):
        first = []

        def run(one):
            first.append(one)
            handle(first[0])

        return super().runner(run)


@found_by("features are those of the kind")
class ClaimsToBePolled(LocalCompute):
    """Claims a feature that belongs to another kind."""

    features = frozenset({Feature.POLLED})


@found_by("findings raise nothing when time is up")
class RaisesFindings(LocalCompute):
    """Raises what it should tell."""

    def findings(self, *, deadline, permissions=None):
        raise DriverError(ErrorCode.FORBIDDEN, operation="compute.findings", provider="local")
