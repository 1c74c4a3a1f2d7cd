"""What is taken out of texts, and what is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.redact import may_identify, pseudonym, redact, redact_text, shortened


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("mail jane.doe+x@example.co.uk please", "mail [email] please"),
        ("call +44 20 7946 0958 now", "call [phone] now"),
        ("call (555) 123-4567", "call [phone]"),
        ("card 4111 1111 1111 1111 expires", "card [card] expires"),
        ("4111111111111111", "[card]"),
        ("account 12345678 sort code 12-34-56", "account [account] sort code [account]"),
        ("IBAN GB82 WEST 1234 5698 7654 32", "IBAN [account]"),
        ("pay DE89370400440532013000", "pay [account]"),
        ("my password is hunter2!", "my password is [secret]"),
        ("token=abc123", "token=[secret]"),
        ("PIN: 1234", "PIN: [secret]"),
        ("use sk-proj-abcdefghijklmnop1234", "use [token]"),
        ("AKIAIOSFODNN7EXAMPLE", "[token]"),
        ("Authorization: Bearer abcdefghijklmnopqrst", "Authorization: Bearer [token]"),
        ("https://user:pw@host/path", "https://[secret]@host/path"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "[token]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- ok", "[key] ok"),
        ("from 192.168.1.10", "from [address]"),
        ("from 2001:db8::1", "from [address]"),
        ("I live at 12 High Street, London SW1A 1AA", "I live at [address], London [address]"),
    ],
)
def test_what_identifies_or_unlocks_is_replaced(text, redacted):
    assert redact_text(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "Why was I charged 3.50 on 12/11/2025?",
        "on 2026-11-16 09:00:00 it was 1234567.89",
        "it failed at 12:30:45",
        "order 123456 of 50 items in 2024",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "I lost my pin. Is it ok?",
        "version 10.4.2 of the app, 1,000,000 users",
        "Donaudampfschifffahrtsgesellschaftskapitän",
        "",
    ],
)
def test_what_only_looks_a_little_like_it_is_left_alone(text):
    assert redact_text(text) == text


def test_redacting_twice_changes_nothing_more():
    text = "mail a@example.com, call +44 20 7946 0958, password is x1y2, card 4111 1111 1111 1111"

    once = redact_text(text)

    assert redact_text(once) == once


def test_values_are_redacted_at_every_depth_and_keys_stay():
    value = {"note": ["a@example.com", {"mail": "b@example.com"}], "n": 5}

    assert redact(value) == {"note": ["[email]", {"mail": "[email]"}], "n": 5}


def test_a_name_that_is_personal_data_becomes_one_stable_stand_in():
    assert pseudonym("user-17") == "user-17"
    assert pseudonym("jane@example.com") == pseudonym("jane@example.com") != pseudonym("joan@example.com")
    assert "jane" not in pseudonym("jane@example.com")


@given(st.integers(1, 60), st.randoms(use_true_random=False))
def test_a_name_of_digits_alone_is_treated_as_the_patterns_would(length, chance):
    name = "".join(chance.choices("0123456789", k=length))

    assert (pseudonym(name) == name) == (redact_text(name) == name)


def test_long_names_stay_distinct_when_shortened():
    assert shortened("a" * 500, 200) != shortened("a" * 501, 200)
    assert len(shortened("a" * 500, 200)) <= 200


@pytest.mark.parametrize(
    "text",
    [
        "a@example.com",
        "call 5551234567",
        "my password is swordfish",
        "my password\nis\tswordfish",
        "My Password Is Swordfish",
        "token=a",
        "BEARER abcdefghijklmnop",
        "sk-abcdefghijklmnopqrst",
        "xoxb-abcdefghij",
        "-----BEGIN PRIVATE KEY-----",
        "7 High Street",
        "SW1A 1AA",
        "my password\u00a0is\u00a0swordfish",
    ],
)
def test_the_quick_look_misses_nothing_that_the_patterns_find(text):
    assert redact_text(text) != text
    assert may_identify(text)


@pytest.mark.parametrize(
    "piece",
    ["y", "1 ", "a-", "1.1/", ":1", "a@", "AB12 ", "pin is ", "1 Aa ", "://a:", "a.", "+1", "pin  =  "],
)
def test_the_steps_taken_grow_no_faster_than_the_text(piece):
    """A pattern that gives back what it took would need hours for a text of this length."""
    redact_text(piece * 200_000)


def test_words_that_shout_are_heard_too():
    assert redact_text("MY PASSWORD IS SWORDFISH") == "MY PASSWORD IS [secret]"


def test_what_only_looks_like_an_iban_hides_no_part_of_a_card_number():
    assert redact_text("GB82 WEST 1234Password 4111 1111 1111 1111").endswith("Password [card]")


PIECES = [
    "Password",
    " Is ",
    "is",
    ": ",
    "=",
    "pin",
    "TOKEN",
    "+44 20 7946",
    "@",
    "a@b.co",
    "://",
    "Bearer ",
    "sk-",
]
PIECES += [
    "x" * 20,
    "12",
    "-",
    ".",
    " ",
    "GB82 WEST 1234",
    "::1",
    "fe80:",
    "High Street",
    "-----BEGIN ",
    "1111",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join))
def test_no_text_makes_redaction_fail_or_keeps_a_card_number(text):
    assert not redact_text(f"{text} 4111 1111 1111 1111 ").endswith("1111 ")


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join))
def test_the_quick_look_lets_nothing_pass_that_would_be_redacted(text):
    assert may_identify(text) or redact_text(text) == text


@given(st.text("0123459aZgb_-", max_size=16))
def test_the_quick_look_lets_no_name_pass_that_would_be_replaced(name):
    assert may_identify(name) or redact_text(name) == name


@given(
    st.lists(st.sampled_from(("password", "PIN", "api key", "my", "is", " ", "x")), max_size=9).map("".join)
)
def test_the_quick_look_lets_no_words_pass_that_would_be_replaced(text):
    assert may_identify(text) or redact_text(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "user-17",
        "u12345",
        "What is it?",
        "Where is the page for my password?",
        "7fbcb2a2",
        "a1234567",
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_the_quick_look_clears_what_applications_write_most(name):
    assert not may_identify(name)
