"""Stores that do something wrong with queries: ranges, order, pages and cursors."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from suite.bad.drivers import error, found_by
from tuppence.cursors import cursor_after
from tuppence.drivers import Page
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.store import LocalStore

SECOND = timedelta(seconds=1)
CONFLICT, EXISTS = ErrorCode.CONFLICT, ErrorCode.ALREADY_EXISTS
NO_QUERY = ("", "", "")


class Paging(LocalStore):
    """What changes the pages of a query derives from this."""

    def changed(self, page, limit):
        raise NotImplementedError

    def query(self, partition, /, *, limit, **options):
        return self.changed(super().query(partition, limit=limit, **options), limit)


@found_by(
    "pages hold everything once",
    "pages survive writers",
    "pages survive writers at work",
    "pages of a range stay in it",
)
class SkipsBetweenPages(Paging):
    """Loses the record between two pages."""

    def changed(self, page, limit):
        return page if page.cursor is None or limit == 1 else replace(page, records=page.records[:-1])


@found_by("pages of the largest records hold everything once")
class EndsAtAMegabyte(Paging):
    """Ends a query with the page that its service's limit of a megabyte ends."""

    def changed(self, page, limit):
        kept, size = [], 0
        for record in page.records:
            size += record.size
            if kept and size > 1024 * 1024:
                return Page(records=kept, cursor=None)
            kept.append(record)
        return page


@found_by("no page is longer than its limit")
class IgnoresLimits(LocalStore):
    """Returns pages as long as it likes."""

    def query(self, partition, /, *, limit, **options):
        return super().query(partition, limit=1_000, **options)


@found_by("a query returns its range in order")
class CountsTheEndIn(LocalStore):
    """Counts the end of a range in."""

    def query(self, partition, /, *, end="", **options):
        return super().query(partition, end=f"{end}~" if end else "", **options)


@found_by("a query returns its range in order")
class LeavesTheStartOut(Paging):
    """Leaves the start of a range out."""

    def query(self, partition, /, *, start="", cursor=None, **options):
        begin = f"{start}-" if start else ""
        return LocalStore.query(self, partition, start=begin, cursor=cursor, **options)


@found_by("bounds need not be there")
class WantsBoundsThatAreThere(LocalStore):
    """Finds nothing where a range does not begin with a record."""

    def query(self, partition, /, *, start="", end="", **options):
        if start and not super().query(partition, start=start, end=f"{start}-", **options).records:
            return Page(records=[], cursor=None)
        return super().query(partition, start=start, end=end, **options)


@found_by("a query sorts by bytes")
class SortsByLanguage(Paging):
    """Sorts a page as people would, whatever the case of a letter."""

    def changed(self, page, limit):
        return replace(page, records=sorted(page.records, key=lambda record: record.key.sort.lower()))


@found_by("a query stays in its partition")
class QueriesByPrefix(LocalStore):
    """Finds all partitions whose names begin like the one that was asked for."""

    def query(self, partition, /, *, deadline, **options):
        with self._database.read("store.query", deadline) as connection:
            statement = "SELECT DISTINCT partition FROM records WHERE partition GLOB ?"
            found = connection.execute(statement, (f"{partition}*",)).fetchall()
        pages = [super(QueriesByPrefix, self).query(name, deadline=deadline, **options) for (name,) in found]
        if len(pages) == 1:
            return pages[0]
        return Page(records=[record for page in pages for record in page.records], cursor=None)


@found_by("a query of nothing is an empty page", "a cursor outlives everything it pointed to")
class MissesPartitions(LocalStore):
    """Says of a partition without records that it is not there."""

    def query(self, partition, /, *, deadline, **options):
        with self._database.read("store.query", deadline) as connection:
            statement = "SELECT count(*) FROM records WHERE partition = ?"
            if not connection.execute(statement, (partition,)).fetchone()[0]:
                raise error(ErrorCode.NOT_FOUND, "store.query")
        return super().query(partition, deadline=deadline, **options)


@found_by("pages survive writers")
class CountsItsPlace(LocalStore):
    """Keeps in a cursor how many records have been returned, and not where they ended."""

    def query(self, partition, /, *, limit, cursor=None, **options):
        skipped = int(cursor or 0)
        records = super().query(partition, limit=1_000, **options).records[skipped:]
        page = records[:limit]
        return Page(records=page, cursor=f"{skipped + len(page)}" if len(records) > limit else None)


@found_by("a foreign cursor is refused")
class TakesAnyCursor(LocalStore):
    """Begins anew with a cursor that it cannot read."""

    def query(self, partition, /, *, cursor=None, **options):
        try:
            return super().query(partition, cursor=cursor, **options)
        except DriverError as refused:
            if cursor is None or refused.code is not ErrorCode.INVALID:
                raise
            return super().query(partition, **options)


@found_by("a foreign cursor is refused")
class ChokesOnCursors(LocalStore):
    """Lets a decoder's error out for a cursor that it cannot read."""

    def query(self, partition, /, *, cursor=None, **options):
        try:
            return super().query(partition, cursor=cursor, **options)
        except DriverError as refused:
            if refused.code is ErrorCode.INVALID:
                raise ValueError("Incorrect padding") from None
            raise


class TakesOthersCursors(LocalStore):
    """What takes a cursor of another query derives from this."""

    def known(self, partition, start, end):
        raise NotImplementedError

    def query(self, partition, /, *, start="", end="", limit, cursor=None, deadline):
        asked = {"start": start, "end": end, "limit": limit, "deadline": deadline}
        if cursor is None:
            page = super().query(partition, **asked)
        elif cursor.count("|") == 1 and cursor.partition("|")[0] == self.known(partition, start, end):
            own = cursor_after(cursor.partition("|")[2], partition, start, end)
            page = super().query(partition, cursor=own, **asked)
        else:
            raise error(ErrorCode.INVALID, "store.query")
        last = page.records[-1].key.sort if page.records else ""
        return replace(page, cursor=page.cursor and f"{self.known(partition, start, end)}|{last}")


@found_by("a cursor of another query is refused")
class TakesCursorsOfOtherPartitions(TakesOthersCursors):
    """Goes on with a cursor that another partition gave."""

    def known(self, partition, start, end):
        return f"{start}/{end}"


@found_by("a cursor of another query is refused")
class TakesCursorsOfOtherRanges(TakesOthersCursors):
    """Goes on with a cursor that another range of the same partition gave."""

    def known(self, partition, start, end):
        return partition
