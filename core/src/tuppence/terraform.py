"""Deploys with Terraform, or OpenTofu, whichever is there, in a folder beside the configuration.

The folder is `.tuppence/terraform/<project>/`. It holds the provider's module, its variables, the plan, and
the state unless a backend was given. All but the state and `backend.tf` is written anew each time.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

from tuppence.deploy import Action, Change, Deployer, Say
from tuppence.errors import DeployError

PROGRAMS: Final = ("terraform", "tofu")
PLACE: Final = "place"
"""The module's output that says in which account and region everything is."""
BACKEND: Final = "backend.tf"
_PLAN: Final = "plan.out"
_ENVIRONMENT: Final = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
_AGAIN: Final = "Mend it and run the same command again; what has been made is taken up."
_LONGEST: Final = 800
"""Letters of an error that are passed on."""
_DONE: Final = {"create": "created", "update": "updated", "delete": "deleted"}
_ACTIONS: Final = {
    ("create",): Action.CREATE,
    ("update",): Action.UPDATE,
    ("delete",): Action.DELETE,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
}


class TerraformDeployer(Deployer):
    """A deployer with a Terraform module. A provider says which, and with what variables."""

    module: ClassVar[Path]
    """The folder of the module. It has an output `place`."""
    holding: ClassVar[frozenset[str]] = frozenset()
    """The types of resources that hold what people sent."""

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return the configuration of Terraform's own provider, as JSON writes the block `provider`."""

    @abstractmethod
    def variables(self, folder: Path, *, destroy: bool) -> Mapping[str, Any]:
        """Return the module's variables.

        Args:
            folder: where to make files that they name, such as the functions' package.
            destroy: whether all is to be removed, so that no file is needed.

        """

    @property
    def folder(self) -> Path:
        """Where Terraform works."""
        config = self.runtime.config
        return config.folder / ".tuppence" / "terraform" / config.project

    def plan(self, *, destroy: bool = False) -> Sequence[Change]:
        """Write the folder and plan in it."""
        terraform = Terraform(self.folder, self.say)
        moved = self._write(destroy=destroy)
        terraform.run("init", *(["-force-copy"] if moved else []))
        terraform.run("plan", "-json", f"-out={_PLAN}", *(["-destroy"] if destroy else []))
        plan = json.loads(terraform.read("show", "-json", _PLAN))
        place = plan.get("output_changes", {}).get(PLACE, {})
        before, after = place.get("before"), place.get("after")
        if before and after and before != after:
            raise DeployError(
                f"{self.runtime.config.project} is deployed elsewhere: in {before}, not in {after}",
                "Use that account and region, or remove it there with `tuppence destroy` first.",
            )
        planned = ((one, _action(one["change"])) for one in plan.get("resource_changes", ()))
        return [self._change(one, action) for one, action in planned if action]

    def apply(self) -> Mapping[str, Any]:
        """Carry out the last plan, and read what came out."""
        terraform = Terraform(self.folder, self.say)
        terraform.run("apply", "-json", _PLAN)
        outputs = json.loads(terraform.read("output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def destroy(self) -> None:
        """Carry out the last plan to remove."""
        Terraform(self.folder, self.say).run("apply", "-json", _PLAN)

    def _write(self, *, destroy: bool) -> bool:
        """Write all that Terraform reads; return whether the state has to move to another backend."""
        folder = self.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(folder.parents[1] / ".gitignore", "*\n")
        for stale in folder.glob("*.tf"):
            if stale.name != BACKEND:
                stale.unlink()
        for source in self.module.glob("*.tf"):
            shutil.copy(source, folder)
        settings = self.settings()
        _write(folder / "provider.tf.json", json.dumps({"provider": settings} if settings else {}, indent=2))
        variables = self.variables(folder, destroy=destroy)
        _write(folder / "terraform.tfvars.json", json.dumps(variables, indent=2))
        if self.backend is None:
            return False
        return _write(folder / BACKEND, self.backend.read_text(encoding="utf-8"))

    def _change(self, planned: Mapping[str, Any], action: Action) -> Change:
        return Change(
            action=action,
            resource=planned["address"],
            detail=", ".join(_properties(planned["change"])) if action is Action.UPDATE else "",
            loses=action in {Action.DELETE, Action.REPLACE} and planned["type"] in self.holding,
        )


class Terraform:
    """The program, in its folder."""

    def __init__(self, folder: Path, say: Say) -> None:
        self._folder = folder
        self._say = say
        self._program = next(filter(None, map(shutil.which, PROGRAMS)), "")
        if not self._program:
            raise DeployError(
                "neither `terraform` nor `tofu` is on the PATH",
                "Install one of them: https://developer.hashicorp.com/terraform/install, https://opentofu.org.",
            )

    def run(self, command: str, *arguments: str) -> None:
        """Run a command to its end, saying what it does. Ctrl-C and SIGTERM end it in good order."""
        lines: list[str] = []
        process = subprocess.Popen(  # noqa: S603 - found on the PATH, with arguments of ours
            [self._program, command, "-no-color", *arguments],
            cwd=self._folder,
            env=os.environ | _ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # it hears of a Ctrl-C once, from here: told twice, it drops its state
        )
        with process, _stopped_like_ctrl_c():
            interrupted = self._follow(process, lines)
        if interrupted:
            raise KeyboardInterrupt
        if process.returncode:
            raise DeployError(_problem(command, lines), _AGAIN)

    def read(self, command: str, *arguments: str) -> str:
        """Return what a command prints."""
        done = subprocess.run(  # noqa: S603 - as above
            [self._program, command, *arguments],
            check=False,
            cwd=self._folder,
            env=os.environ | _ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
        )
        if done.returncode:
            raise DeployError(_problem(command, done.stderr.splitlines()), _AGAIN)
        return done.stdout

    def _follow(self, process: subprocess.Popen[str], lines: list[str]) -> bool:
        """Read what a command says until it ends; return whether someone wanted to stop it."""
        assert process.stdout is not None, "opened as a pipe"
        interrupted = False
        while True:
            try:
                for line in process.stdout:
                    lines.append(line)
                    if told := _told(line):
                        self._say(told)
                process.wait()
            except KeyboardInterrupt:
                interrupted = True
                self._say("Stopping: what was begun is finished first, so that nothing is forgotten.")
                process.send_signal(signal.SIGINT)
            else:
                return interrupted


@contextmanager
def _stopped_like_ctrl_c() -> Iterator[None]:
    """Treat SIGTERM as a Ctrl-C, as long as the program runs."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _write(place: Path, text: str) -> bool:
    """Write a file unless it is so already; return whether it was written."""
    if place.exists() and place.read_text(encoding="utf-8") == text:
        return False
    place.write_text(text, encoding="utf-8")
    return True


def _action(change: Mapping[str, Any]) -> Action | None:
    """Return what becomes of a resource, or `None` where it stays as it is."""
    return _ACTIONS.get(tuple(change["actions"]))


def _properties(change: Mapping[str, Any]) -> list[str]:
    """Return the names of what changes in a resource that stays."""
    before, after = change["before"] or {}, change["after"] or {}
    known = {name for name, value in after.items() if before.get(name) != value}
    return sorted(known | {name for name, unknown in change["after_unknown"].items() if unknown})


def _told(line: str) -> str:
    """Return what a line of Terraform's JSON means to people, or nothing."""
    said = _message(line)
    hook = said.get("hook", {})
    if said.get("type") != "apply_complete" or hook.get("action") not in _DONE:
        return ""
    return f"{_DONE[hook['action']]} {hook['resource']['addr']}"


def _problem(command: str, lines: Sequence[str]) -> str:
    """Return in a few words why a command failed."""
    found = [message["diagnostic"] for line in lines if (message := _message(line)).get("diagnostic")]
    errors = [
        ": ".join(filter(None, (one.get("address"), one["summary"], one.get("detail"))))
        for one in found
        if one["severity"] == "error"
    ]
    text = "; ".join(errors) or " ".join(line for line in lines if not _message(line))
    return f"{command}: {' '.join(text.split())[:_LONGEST]}"


def _message(line: str) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
