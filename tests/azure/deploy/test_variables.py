"""What the module is given: from the drivers' options, and from what they declare."""

import pytest

from azure.deploy.conftest import QUEUES, SUBSCRIPTION
from tuppence.errors import ConfigError

EVENT = {"TUPPENCE_PIPELINE__TRIGGER": "event"}


def test_names_and_sizes_are_those_the_drivers_use(variables):
    found = variables(compute="memory = 512")

    assert (found["queue"], found["table"], found["account"]) == ("tuppence-my_bot", "tuppencemybot", "mybot")
    assert (found["namespace"], found["memory"], found["location"]) == ("mybotspace", 512, "uksouth")
    assert found["apps"] == {"processor": "tuppence-my-bot-processor", "reporter": "tuppence-my-bot-reporter"}
    assert found["resource_group"] == "tuppence-my-bot"


def test_each_app_has_the_timers_of_its_jobs(variables):
    assert variables()["timers"] == {
        "processor": ["TUPPENCE_TIMER_DRAIN", "TUPPENCE_TIMER_SEAL"],
        "reporter": ["TUPPENCE_TIMER_REPORT"],
    }


@pytest.mark.parametrize(
    ("queue", "action"),
    [
        ("service_bus", "Microsoft.ServiceBus/namespaces/messages/send/action"),
        ("storage", "Microsoft.Storage/storageAccounts/queueServices/queues/messages/add/action"),
    ],
)
def test_a_producer_may_send_to_one_queue_and_nothing_else(variables, queue, action):
    (found,) = variables(QUEUES[queue])["permissions"]["producer"]

    assert found["action"] == action
    assert found["resource"].rpartition("/")[2].startswith("tuppence-my")


@pytest.mark.parametrize("queue", QUEUES)
def test_a_reporter_may_look_at_the_queue_and_nobody_may_do_everything(variables, queue):
    permissions = variables(QUEUES[queue])["permissions"]

    everything = [one for allowed in permissions.values() for one in allowed]
    looks = {one["action"] for one in permissions["reporter"] if "queues" in one["resource"]}
    assert (
        looks
        == {
            "service_bus": {"Microsoft.ServiceBus/namespaces/messages/receive/action"},
            "storage": {
                "Microsoft.Storage/storageAccounts/queueServices/queues/read",
                "Microsoft.Storage/storageAccounts/queueServices/queues/messages/read",
            },
        }[queue]
    )
    assert not [one for one in everything if "*" in one["action"]]
    tails = [one["resource"].removeprefix("/subscriptions/*/resourceGroups/*/") for one in everything]
    assert not [tail for tail in tails if "*" in tail]


def test_mail_needs_a_role_only_where_its_resource_is_known(variables):
    assert "Communication" not in str(variables()["permissions"])

    allowed = variables(compute='mail_group = "mail"')["permissions"]["reporter"]

    mailing = {one["resource"] for one in allowed if "Communication" in one["action"]}
    assert mailing == {
        "/subscriptions/*/resourceGroups/mail/providers/Microsoft.Communication/communicationServices/mail"
    }


def test_a_storage_queue_that_calls_has_one_beside_it_for_what_is_given_up(variables):
    found = variables(QUEUES["storage"] + "\nset_aside = true", environ=EVENT)

    assert found["set_aside"]
    assert {one["resource"].rpartition("/")[2] for one in found["permissions"]["processor"]} == {
        "tuppence-my-bot", "tuppence-my-bot-poison", "tuppencemybot"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"queue": QUEUES["storage"], "environ": EVENT}, r"\[queue\] needs `set_aside = true`"),
        (
            {"queue": QUEUES["storage"] + "\nset_aside = true"},
            r'\[queue\] without `trigger = "event"` must not',
        ),
        (
            {"queue": 'service = "storage"\naccount = "other"'},
            "`account` must be the same for queue and store",
        ),
        ({"queue": 'queue = "a"'}, r"\[queue\] needs `namespace`"),
        ({"environ": {"TUPPENCE_STORE__ACCOUNT": ""}}, r"\[store\] needs `account`"),
        ({"environ": {"TUPPENCE_SCHEDULER__APP": "x"}}, "`app` must be the same for compute and scheduler"),
        (
            {"environ": {"TUPPENCE_STORE__PROVIDER": "local"}},
            "store comes from 'local'; functions on azure need",
        ),
        ({"compute": 'timeout = "25h"'}, "compute.timeout must be"),
    ],
)
def test_parts_that_could_not_work_together_are_refused(variables, more, told):
    with pytest.raises(ConfigError, match=told):
        variables(**more)


def test_terraform_is_sent_to_the_subscription_of_the_drivers(variables):
    assert variables(part="settings") == {"azurerm": {"features": {}, "subscription_id": SUBSCRIPTION}}
