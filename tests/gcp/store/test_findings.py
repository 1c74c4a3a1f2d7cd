"""What the doctor is told of a collection."""

import pytest

from gcp.answers import error_of, told
from tuppence.findings import State
from tuppence_gcp.store import FirestoreStore

INDEXED = {"indexConfig": {"indexes": [{"queryScope": "COLLECTION"}], "usesAncestorConfig": True}}
EXEMPT = {"indexConfig": {}}
EXPIRING = {"ttlConfig": {"state": "ACTIVE"}}


@pytest.fixture
def found(opened, stand_in, soon):
    """Return what is found of a collection whose fields are set up as told."""

    def found(ends, bodies, **options):
        fields = {"e": ends, "b": bodies}
        url = stand_in(lambda request: told({"name": request.path, **fields[request.path[-1]]}))
        store = opened(FirestoreStore, url, **options)
        return [(one.state, f"{one.detail} {one.mend}") for one in store.findings(deadline=soon())]

    return found


def test_a_collection_as_deployment_makes_it_is_well(found):
    assert found(INDEXED, EXEMPT) == [(State.OK, "`purge` deletes what has expired ")]
    assert found(EXPIRING, EXEMPT, native_ttl=True)[0][0] is State.OK


@pytest.mark.parametrize(
    ("ends", "native_ttl", "state", "words"),
    [
        (INDEXED, True, State.WRONG, "has no policy"),
        (EXEMPT, False, State.WRONG, "is not indexed"),
        (INDEXED | EXPIRING, False, State.NOTE, "bills it, though"),
    ],
)
def test_who_deletes_is_as_the_settings_say_or_it_is_said(found, ends, native_ttl, state, words):
    ((told_state, told_words),) = found(ends, EXEMPT, native_ttl=native_ttl)

    assert told_state is state
    assert words in told_words
    assert "`tuppence deploy`" in told_words


def test_bodies_that_are_indexed_are_a_note(found):
    assert found(INDEXED, INDEXED)[1][0] is State.NOTE


def test_what_may_not_be_seen_is_a_note(opened, stand_in, soon):
    store = opened(FirestoreStore, stand_in(lambda _: error_of(403, "PERMISSION_DENIED")))

    found = list(store.findings(deadline=soon()))

    assert [one.state for one in found] == [State.NOTE, State.NOTE]
    assert all("Allow it" in one.mend for one in found)
