"""The Terraform module, as text: without Google's provider it was never validated, nor applied."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from itertools import chain

import hcl2
import pytest

from tuppence_gcp.deploy import GcpDeployer

FILES = sorted(GcpDeployer.module.glob("*.tf"))
OWN = {"each", "count", "path", "self", "terraform"}
"""What begins a reference to Terraform itself."""
REFERENCE = re.compile(r"(?<![\w.\"])(data\.)?(google_\w+)\.(\w+)")
BOUND = {
    "subscription": "google_pubsub_subscription_iam_member",
    "bucket": "google_storage_bucket_iam_member",
}


def parsed():
    for file in FILES:
        with file.open(encoding="utf-8") as text:
            yield hcl2.load(text)


def blocks(kind):
    """Return the blocks of a kind, as `{labels joined by a point: what they hold}`."""
    found = {}
    for one in chain.from_iterable(document.get(kind, ()) for document in parsed()):
        for first, inside in one.items():
            if kind in {"resource", "data"}:
                found |= {f"{first}.{second}": held for second, held in inside.items()}
            else:
                found[first] = inside
    return found


def text():
    return "\n".join(re.sub(r"(?m)#.*$", "", file.read_text(encoding="utf-8")) for file in FILES)


def test_the_module_can_be_read():
    assert len(blocks("resource")) > 20
    assert set(blocks("output")) >= {"place", "topic", "producer_role"}


def test_the_module_is_formatted():
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is None:
        pytest.skip("needs terraform or tofu on the PATH")

    result = subprocess.run(
        [program, "fmt", "-check", "-diff"],
        cwd=GcpDeployer.module,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stdout


def test_each_variable_is_used_declared_and_given(deployer, tmp_path):
    declared = blocks("variable")
    used = set(re.findall(r"\bvar\.(\w+)", text()))
    given = set(deployer().variables(tmp_path, destroy=True))

    assert used == set(declared)
    assert given <= set(declared)
    assert given >= {name for name, block in declared.items() if "default" not in block}


def test_each_local_is_used_and_declared():
    declared = set(chain.from_iterable(one for document in parsed() for one in document.get("locals", ())))

    assert set(re.findall(r"\blocal\.(\w+)", text())) == declared


def test_every_reference_leads_to_a_resource():
    there = set(blocks("resource")) | {f"data.{name}" for name in blocks("data")}

    referred = {f"{data or ''}{kind}.{name}" for data, kind, name in REFERENCE.findall(text())}

    assert referred
    assert referred <= there, referred - there


def test_each_kind_of_resource_that_drivers_name_is_bound(deployer, tmp_path):
    given = deployer().variables(tmp_path, destroy=True)
    kinds = {one["kind"] for role in ("processor", "reporter") for one in given["permissions"][role]}

    bound = set(re.findall(r'if grant\.kind == "(\w+)"', text()))

    assert kinds == bound


def test_nobody_is_let_in_but_the_invoker():
    found = {name: held for name, held in blocks("resource").items() if "run.invoker" in json.dumps(held)}

    assert list(found) == ["google_cloud_run_v2_service_iam_member.invoke"]
    assert not re.search("allUsers|allAuthenticatedUsers", text())


def test_functions_take_one_call_at_a_time_and_cost_nothing_at_rest():
    (service,) = blocks("resource")["google_cloudfunctions2_function.this"]["service_config"]

    assert service["max_instance_request_concurrency"] == 1
    assert service["min_instance_count"] == 0
    assert service["max_instance_count"].endswith("10 : 1}")


def test_a_bucket_deletes_what_has_expired_as_the_store_asks():
    held = blocks("resource")["google_storage_bucket.blobs"]

    (rule,) = held["lifecycle_rule"]
    assert rule["action"][0]["type"] == "Delete"
    assert rule["condition"][0]["days_since_custom_time"] == 1


def test_removal_leaves_nothing_that_holds_what_people_sent():
    resources = blocks("resource")

    for name in ("blobs", "source"):
        bucket = resources[f"google_storage_bucket.{name}"]
        assert bucket["force_destroy"] is True
        assert bucket["soft_delete_policy"][0]["retention_duration_seconds"] == 0
    assert resources["google_firestore_database.events"]["deletion_policy"] == "DELETE"
    holding = {name.partition(".")[0] for name in resources} & GcpDeployer.holding
    assert holding == GcpDeployer.holding


@pytest.mark.parametrize("trigger", ["schedule", "event"])
def test_roles_and_bindings_are_worked_out_by_terraform_itself(deployer, tmp_path, trigger):
    """Evaluate the module's variables and these locals alone, which need no provider."""
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is None:
        pytest.skip("needs terraform or tofu on the PATH")
    folder = tmp_path / "locals"
    folder.mkdir()
    shutil.copy(GcpDeployer.module / "variables.tf", folder)
    roles = (GcpDeployer.module / "roles.tf").read_text(encoding="utf-8")
    only = roles[: roles.index("resource ")]
    outputs = "".join(f'output "{name}" {{\n  value = local.{name}\n}}\n' for name in ("custom", "bound"))
    (folder / "roles.tf").write_text(only + outputs, encoding="utf-8")
    given = deployer(TUPPENCE_PIPELINE__TRIGGER=trigger).variables(tmp_path, destroy=True)
    (folder / "terraform.tfvars.json").write_text(json.dumps(given), encoding="utf-8")
    settings = tmp_path / "settings.tfrc"
    settings.write_text("disable_checkpoint = true\n", encoding="utf-8")
    environment = os.environ | {"TF_CLI_CONFIG_FILE": str(settings)}

    def call(*arguments):
        done = subprocess.run(
            [program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    call("init", "-input=false")
    call("apply", "-auto-approve", "-input=false")
    found = {name: one["value"] for name, one in json.loads(call("output", "-json")).items()}

    assert found["custom"]["producer_topic"] == ["pubsub.topics.publish"]
    assert "pubsub.subscriptions.consume" in found["custom"]["processor_subscription"]
    assert {one["custom"] for one in found["bound"].values()} <= set(found["custom"])
    own = {key for key in found["bound"] if key.startswith("drain ")}
    assert own == {
        "drain bucket mybot-bodies",
        "drain database (default)",
        "drain project ",
        "drain subscription tuppence-mybot",
        "drain subscription tuppence-mybot-dead",
    }
    assert any(key.startswith("consume ") for key in found["bound"]) == (trigger == "event")
