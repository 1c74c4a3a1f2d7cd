"""What is there and is not as it should be: most on emulators, the rest from AWS's answers as documented."""

from __future__ import annotations

import json

import boto3
import pytest

from tuppence.cli.app import COULD_NOT

NOT_FOUND = (404, "NotFoundException")
QUOTA = "/2016-08-19/account-settings"
SES = "/v2/email/account"
SANDBOX = {
    "SendingEnabled": True,
    "ProductionAccessEnabled": False,
    "EnforcementStatus": "HEALTHY",
    "SendQuota": {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 3.0},
}


@pytest.fixture
def account(made):
    return lambda service: boto3.client(service, endpoint_url=made, region_name="eu-west-2")


def identities(*verified):
    """Return SES's answers about the addresses of the report, and about their domains."""
    known = ("bot@example.com", "me@example.com", "example.com", "them@example.org", "example.org")
    answers = {one: {"VerifiedForSendingStatus": True} if one in verified else NOT_FOUND for one in known}
    return {f"/v2/email/identities/{one.replace('@', '%40')}": answer for one, answer in answers.items()}


def test_a_queue_for_dead_letters_that_is_gone_is_wrong_and_what_waits_there_a_note(account, doctor, project):
    sqs, name = account("sqs"), f"tuppence-{project}-dead.fifo"
    address = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=address, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="d")
    before = doctor()
    sqs.delete_queue(QueueUrl=address)

    after = doctor()

    sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})
    assert any(
        one.startswith(f"1 messages that came too often wait in {name}") for one in before.of("queue", "note")
    )
    assert any(one.startswith(f"there is no queue {name}") for one in after.of("queue", "wrong"))


def test_a_queue_that_takes_small_messages_only_is_wrong(account, doctor, project):
    sqs = account("sqs")
    address = sqs.get_queue_url(QueueName=f"tuppence-{project}.fifo")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=address, Attributes={"MaximumMessageSize": "1024"})

    assert any("takes messages of 1024 bytes at most" in one for one in doctor().of("queue", "wrong"))


def test_who_may_send_is_told(account, doctor, project):
    iam, name = account("iam"), f"tuppence-{project}-producer"
    told = [doctor()]
    allowed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    policy = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    told.append(doctor())
    iam.attach_role_policy(RoleName=f"tuppence-{project}-invoke", PolicyArn=policy)
    told.append(doctor())
    iam.detach_role_policy(RoleName=f"tuppence-{project}-invoke", PolicyArn=policy)

    said = [next(one for one in each.of("queue") if name in one) for each in told]

    assert said[0].startswith(f"there is no policy {name}")
    assert said[1].endswith(f"Attach {policy} to your application's role or user.")
    assert said[2].startswith(f"the policy {name} lets whoever has it send")


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        ("ENABLING", "note", "may take an hour"),
        ("DISABLED", "wrong", "would keep what has expired"),
        ("DISABLING", "wrong", "would keep what has expired"),
    ],
)
def test_a_time_to_live_that_is_not_on_is_told(made, configured, answering, doctor, status, state, words):
    told = {"TimeToLiveDescription": {"TimeToLiveStatus": status, "AttributeName": "e"}}
    configured(made, store=answering(made, {"DescribeTimeToLive": told}))

    (only,) = [one for one in doctor().of("store", state) if words in one]

    assert only


def test_a_table_that_costs_money_or_is_not_as_configured_is_a_note(account, doctor, project):
    dynamodb, name = account("dynamodb"), f"tuppence-{project}"
    more = {"ReadCapacityUnits": 40, "WriteCapacityUnits": 25}
    dynamodb.update_table(TableName=name, ProvisionedThroughput=more)
    larger = doctor().of("store", "note")
    dynamodb.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
    demanded = doctor().of("store", "note")

    assert any("40 reads and 25 writes a second; the configuration says 25 reads" in one for one in larger)
    assert any("40 reads and 25 writes a second, which is billed" in one for one in larger)
    assert any("pays for each read and write, which is billed" in one for one in demanded)


def test_functions_that_are_gone_or_throttled_to_nothing_are_wrong(account, doctor, project):
    functions = account("lambda")
    names = [f"tuppence-{project}-{part}" for part in ("drain", "seal", "report")]
    functions.put_function_concurrency(FunctionName=names[1], ReservedConcurrentExecutions=0)

    throttled = doctor()
    functions.delete_function_concurrency(FunctionName=names[1])

    assert throttled.status == COULD_NOT
    assert [one.partition(" | ")[0] for one in throttled.of("compute", "wrong")] == [
        f"{names[1]} is throttled to nothing, and never runs"
    ]


def test_each_function_that_is_missing_is_named(ministack_url, configured, doctor, project):
    configured(ministack_url)

    wrong = doctor().of("compute", "wrong")

    for part in ("drain", "seal", "report"):
        assert sum(f"there is no function tuppence-{project}-{part}" in one for one in wrong) == 1


def test_a_small_quota_of_an_account_is_a_note(made, configured, answering, doctor):
    limits = {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}
    configured(made, compute=answering(made, {QUOTA: limits}))
    small = doctor()
    configured(made, compute=answering(made, {QUOTA: (403, "AccessDeniedException")}))
    unseen = doctor()

    assert any(one.startswith("10 functions") for one in small.of("compute", "note"))
    assert any(one.startswith("needs lambda:GetAccountSettings on *") for one in unseen.of("compute", "note"))


def test_a_disabled_schedule_and_one_that_was_changed_are_wrong(account, doctor, project):
    scheduler = account("scheduler")
    for name, change in (("seal", {"State": "DISABLED"}), ("drain", {"ScheduleExpression": "rate(1 day)"})):
        known = scheduler.get_schedule(Name=name, GroupName=f"tuppence-{project}")
        kept = ("Name", "GroupName", "FlexibleTimeWindow", "State", "Target", "ScheduleExpression")
        scheduler.update_schedule(**{key: known[key] for key in kept} | change)

    told = doctor()

    assert [one.partition(" | ")[0] for one in told.of("scheduler", "wrong")] == [
        "the schedule seal is disabled"
    ]
    assert "drain" in told.of("schedules", "wrong")[0]
    assert "`tuppence deploy` sets them." in told.of("schedules", "wrong")[0]


def test_a_part_in_another_region_is_named(made, configured, doctor):
    place = configured(made)
    text = place.read_text(encoding="utf-8")
    head, _, tail = text.rpartition('region = "eu-west-2"')
    place.write_text(f'{head}region = "us-east-1"{tail}', encoding="utf-8")

    (only,) = doctor().of("places", "note")

    assert "queue, compute, store, scheduler in account 000000000000, eu-west-2" in only
    assert "mailer in account 000000000000, us-east-1" in only


def test_the_sandbox_its_quota_and_addresses_that_are_not_verified(made, configured, answering, doctor):
    answers = {SES: SANDBOX, **identities("example.com")}
    configured(made, mailer=answering(made, answers))

    told = doctor()

    assert any("SES is in its sandbox in this region" in one for one in told.of("mailer", "note"))
    assert "197 of 200 mails of 24 hours are left | " in told.of("mailer", "ok")
    (wrong,) = told.of("mailer", "wrong")
    assert "of the addresses in `to` these are not verified: number 2" in wrong
    assert "example.org" not in told.text


def test_out_of_the_sandbox_only_the_sender_has_to_be_verified(made, configured, answering, doctor):
    left = SANDBOX | {"ProductionAccessEnabled": True}
    configured(made, mailer=answering(made, {SES: left, **identities("me@example.com")}))

    (wrong,) = doctor().of("mailer", "wrong")

    assert wrong.startswith("SES sends nothing for the sender")


def test_a_paused_account_one_under_review_and_a_used_up_quota_are_told(made, configured, answering, doctor):
    quota = {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 199.0}
    paused = SANDBOX | {"SendingEnabled": False, "EnforcementStatus": "PROBATION", "SendQuota": quota}
    configured(made, mailer=answering(made, {SES: paused, **identities("example.com", "example.org")}))

    told = doctor()

    wrong = told.of("mailer", "wrong")
    assert sum("sending is paused" in one for one in wrong) == 1
    assert any("1 of 200 mails of 24 hours are left, and a report is 2" in one for one in wrong)
    assert any("under review: PROBATION" in one for one in told.of("mailer", "note"))


def test_on_a_second_emulator_the_doctor_tells_the_same_of_queue_and_table(
    moto_url, configured, doctor, project
):
    from aws.queues import queues_at
    from aws.tables import table_at

    configured(moto_url)
    with queues_at(moto_url, project), table_at(moto_url, f"tuppence-{project}"):
        told = doctor()

    assert any("FIFO, sets aside into" in one for one in told.of("queue"))
    assert any("time to live is ENABLED" in one for one in told.of("store", "ok"))
