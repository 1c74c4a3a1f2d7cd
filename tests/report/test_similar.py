import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.pipeline.texts import ASKERS, Text, key_of
from tuppence.report.similar import grouped
from tuppence.report.topics import group, people

WORDS = ["refund", "refnud", "the", "card", "cards", "1", "12", "not", "how", "do", "i"]
COMMON = {"how do i get a refund": 20, "where is my parcel": 20, "cancel my subscription": 20}


def same(one, other):
    groups = grouped({key_of(one): 2, key_of(other): 1} | COMMON)
    return groups[key_of(one)] == groups[key_of(other)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I get a refund?", "how can I get a refund"),
        ("How do I get a refund?", "how to get refunds"),
        ("How do I get a refund?", "How do I get a refnud?"),
        ("Cancel my subscription", "please cancel the subscripton"),
        ("Where is my parcel?", "where's my parcel"),
        ("Where is my parcel?", "where ismy parcel"),
        ("I can't log in", "I cannot log in"),
    ],
)
def test_other_spellings_are_the_same_question(one, other):
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What does pin 1 do?", "What does pin 2 do?"),
        ("Transfer 1 2", "Transfer 12"),
        ("Can I cancel my order?", "Can't I cancel my order?"),
        ("Is it possible to cancel?", "Is it impossible to cancel?"),
        ("I have received my card", "I haven't received my card"),
        ("Turn the alarm on", "Turn the alarm off"),
        ("Send money from A to B", "Send money from B to A"),
        ("How do I lend money?", "How do I send money?"),
        ("Can I pay tax?", "Should I pay tax?"),
        ("我能登录吗", "我不能登录吗"),
    ],
)
def test_numbers_negations_and_other_words_make_another_question(one, other):
    assert not same(one, other)


def test_two_words_that_are_both_in_use_are_no_misspelling_of_each_other():
    groups = grouped({"read the contract": 10, "read the contact": 9})

    assert groups["read the contact"] == "read the contact"


@settings(max_examples=50)
@given(
    st.dictionaries(
        st.lists(
            st.sampled_from(["refund", "refnud", "the", "card", "cards", "1", "2", "not", "how", "do", "i"]),
            min_size=1,
        ).map(" ".join),
        st.integers(1, 30),
        min_size=1,
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_groups_depend_on_no_order(weights, chance):
    shuffled = list(weights.items())
    chance.shuffle(shuffled)

    assert grouped(dict(shuffled)) == grouped(weights)


def test_every_question_belongs_to_one_group_whose_leader_leads_itself():
    chance = random.Random(3)
    weights = {" ".join(chance.choices(WORDS, k=4)): chance.randint(1, 9) for _ in range(300)}

    groups = grouped(weights)

    assert groups.keys() == weights.keys()
    assert all(groups[leader] == leader for leader in groups.values())


def test_both_weeks_are_counted_under_one_name():
    now = {"get refund": Text("Get refund", count=5), "get a refund": Text("get a refund", count=2)}
    before = {"get the refund": 3}

    (only,) = group(now, before)

    assert (only.now.count, only.before) == (7, 3)
    assert only.wordings == ("Get refund", "get a refund")


def test_people_are_exact_up_to_the_bound_and_estimated_beyond():
    chance = random.Random(5)
    hashes = sorted(chance.getrandbits(64) for _ in range(1_000))

    assert people(Text("?", count=2_000, askers=hashes[:100])) == (100, 0)
    estimate, error = people(Text("?", count=2_000, askers=hashes[:ASKERS], sampled=True))
    assert abs(estimate - 1_000) < 4 * error


def test_no_more_people_are_told_than_questions_were_asked():
    assert people(Text("?", count=40, askers=list(range(1, ASKERS + 1)), sampled=True))[0] == 40
