"""What is deployed in tests: a module of Terraform's own, built-in resources, which needs no cloud."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tuppence.config import load
from tuppence.runtime import Runtime
from tuppence.terraform import TerraformDeployer

MODULE = """\
variable "place" { type = string }
variable "content" { type = string }
variable "pace" { type = string }

resource "terraform_data" "store" {
  triggers_replace = var.content
}

resource "terraform_data" "size" {
  input = var.pace
}

resource "terraform_data" "slow" {
  count      = var.pace == "slow" ? 1 : 0
  depends_on = [terraform_data.store]

  provisioner "local-exec" {
    command = "echo > ../../../begun; sleep 60"
  }
}

output "place" { value = var.place }
"""


class Deployer(TerraformDeployer):
    """Deploys what `variables.txt` beside the configuration says: a place, a content and a pace."""

    holding = frozenset({"terraform_data"})

    @property
    def module(self):
        folder = self.runtime.config.folder / "module"
        folder.mkdir(exist_ok=True)
        (folder / "main.tf").write_text(MODULE, encoding="utf-8")
        return folder

    def settings(self):
        return {}

    def variables(self, folder, *, destroy):
        text = (self.runtime.config.folder / "variables.txt").read_text(encoding="utf-8")
        return dict(zip(("place", "content", "pace"), text.split(), strict=True))

    def kept(self):
        return ["Nothing is kept."]


if __name__ == "__main__":
    # What is started in the background of a script ignores this signal, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Runtime(load(Path(sys.argv[1]))) as runtime:
        deployer = Deployer(runtime, say=lambda line: print(line, flush=True))  # noqa: T201 - a script that prints
        deployer.plan()
        deployer.apply()
