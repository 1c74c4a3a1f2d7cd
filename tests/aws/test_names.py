from __future__ import annotations

import re

import pytest
from botocore.loaders import create_loader

from tuppence.clock import SystemClock
from tuppence.drivers import Context, Role
from tuppence.meter import UnitMeter
from tuppence_aws.mailer import SesMailer
from tuppence_aws.names import arn, domain_of, partition_of
from tuppence_aws.queue import SqsQueue
from tuppence_aws.store import DynamoStore

PARTITIONS = create_loader().load_data("partitions")["partitions"]


@pytest.mark.parametrize("partition", PARTITIONS, ids=lambda one: one["id"])
def test_each_region_is_in_the_partition_and_domain_that_the_sdk_knows(partition):
    regions = [name for name in partition["regions"] if re.match(partition["regionRegex"], name)]

    assert regions
    assert {partition_of(name) for name in regions} == {partition["id"]}
    assert {domain_of(name) for name in regions} == {partition["outputs"]["dnsSuffix"]}


def test_what_is_not_known_of_an_arn_is_left_open():
    assert arn("sqs", "", "bot") == "arn:aws:sqs:*:*:bot"
    assert arn("sqs", "eu-west-2", "bot", account="123456789012") == "arn:aws:sqs:eu-west-2:123456789012:bot"


@pytest.mark.parametrize("driver", [SqsQueue, DynamoStore, SesMailer])
def test_permissions_are_of_the_regions_own_partition(driver):
    context = Context(project="bot", meter=UnitMeter(), clock=SystemClock())
    opened = driver(driver.Options(region="cn-north-1"), context)

    resources = {one.resource for role in Role for one in opened.permissions(role)}

    assert resources
    assert all(one.startswith("arn:aws-cn:") for one in resources)
