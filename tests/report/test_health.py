"""What Data health says of events that someone else may have sent."""

import msgspec

from tuppence.report.health import health


def said(report, **counts):
    section = health(msgspec.structs.replace(report, health=msgspec.structs.replace(report.health, **counts)))
    labels = [row[0] for row in section.tables[0].rows]
    return labels, section.closing


def test_nothing_is_said_of_harm_where_there_is_none(log):
    log.ask("Open?")

    labels, closing = said(log.report())

    assert "Of the duplicates, with other content" not in labels
    assert not any(word in closing for word in ("contradicted", "claimed", "uncertain", "untraced"))


def test_what_contradicts_an_event_is_counted_and_its_meaning_told(log):
    log.ask("Open?")

    labels, closing = said(log.report(), contradicted=3)

    assert "Of the duplicates, with other content" in labels
    assert "3\u00a0events came under the identity of one that says something else; the first" in closing


def test_losses_that_nothing_bears_out_are_told_apart(log):
    log.ask("Open?")
    log.saw("2026-11-10", "evil", received=[[2**40, 2**40]], captured=2**40, hello=True, goodbye=True)

    report = log.report()
    labels, closing = said(report)

    assert (report.health.lost, report.health.claimed) == (0, 2**40 - 1)
    assert "Reported as lost, but not borne out" in labels
    assert "next to nothing of theirs arrived" in closing
