"""Every document of ``--json`` has a schema, and what is printed fits it."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from bootkit.app.verbs.machines import MachineBoot
from bootkit.cli.command import parameters
from bootkit.cli.documents import DOCUMENTS
from bootkit.cli.output import SCHEMA_VERSION
from bootkit.cli.schema import schema_of
from bootkit.model.check import Answer, Prediction
from bootkit.model.testboot import BootResult, MachineKind, Stage
from bootkit.render.menu import MenuTarget
from tests.app.conftest import MakeIso, stick
from tests.app.installed import disk_maker
from tests.cli.conftest import Bootkit
from tests.cli.test_app import viewer
from tests.cli.test_persist_and_seed import MINI, PRESEED
from tests.commands import every_command
from tests.conftest import Prepared
from tests.documents import check_document

__all__ = ["stick", "viewer"]


def test_every_command_with_json_has_a_schema() -> None:
    with_json = {
        words
        for words, command in every_command().items()
        if any("--json" in parameter.flags for parameter in parameters(command))
    }
    assert set(DOCUMENTS) == with_json


@pytest.mark.parametrize("words", DOCUMENTS)
def test_a_schema_is_one(words: str) -> None:
    schema = schema_of(words)
    Draft202012Validator.check_schema(schema)
    assert 'additionalProperties": false' not in json.dumps(schema)  # a key that comes is no new version


def test_the_program_prints_its_schemas(bootkit: Bootkit) -> None:
    shown = json.loads(bootkit("--json-schema", "ext", "list").stdout)
    assert shown == json.loads(json.dumps(schema_of("ext list")))
    assert shown["properties"]["schema_version"] == {"const": SCHEMA_VERSION}
    extension = shown["$defs"]["InspectedExtension"]
    assert extension["properties"]["path"]["description"] == "On the stick; empty for a file of this computer."
    done = bootkit("--json-schema", "remove")
    assert (done.returncode, "bootkit remove prints no JSON" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    "document",
    [
        {"schema_version": SCHEMA_VERSION, "apps": [], "more": 1},
        {"schema_version": SCHEMA_VERSION + 1, "apps": []},
        {"schema_version": SCHEMA_VERSION, "apps": [{"name": "a", "path": "/apps/a", "size": "large", "title": ""}]},
        {"schema_version": SCHEMA_VERSION},
    ],
)
def test_the_tests_see_what_does_not_fit(document: object) -> None:
    with pytest.raises(ValidationError):
        check_document(["app", "list", "--json"], json.dumps(document))


class Told:
    """The commands whose documents were looked at, each held to its schema by the ``bootkit`` fixture."""

    def __init__(self, bootkit: Bootkit) -> None:
        self.commands: set[str] = set()
        self._bootkit = bootkit

    def __call__(self, command: str, *words: str | Path, status: int = 0) -> None:
        done = self._bootkit(*command.split(), *words, "--json")
        assert done.returncode == status, done.stderr
        _, *members = json.loads(done.stdout).values()
        assert members != [[]], f"{command} has nothing to tell"
        self.commands.add(command)


def test_what_is_told_of_a_full_stick_fits(
    bootkit: Bootkit, tmp_path: Path, prepared: Prepared, make_iso: MakeIso, viewer: Path
) -> None:
    full = prepared(tmp_path / "stick.img")
    tree = tmp_path / "tree"
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/tool").write_text("#!/bin/sh\n")
    preseed = tmp_path / "lab.preseed"
    preseed.write_text(PRESEED)
    extension = tmp_path / "tool.raw"
    live = make_iso("live.iso")
    at = ("--stick", full)
    tell = Told(bootkit)
    tell("prepare", tmp_path / "new.img", "--size", "1G", "--dry-run")
    tell(
        "add",
        make_iso("live.iso"),
        make_iso("mini.iso", MINI),
        tmp_path / "missing.iso",
        disk_maker(tmp_path)("debian.raw"),
        *at,
        status=1,
    )
    tell("generate", *at, "--fresh")
    tell("ext create", "--name", "tool", tree, "--any", "--output", extension)
    tell("ext create", "--name", "tool", tree, "--any", "--dry-run")
    tell("ext add", extension, *at)
    tell("app add", viewer, *at)
    assert bootkit("home", "create", "anna", "--size", "64M", *at).returncode == 0
    assert bootkit("persist", "create", "live", "--size", "32M", *at).returncode == 0
    assert bootkit("seed", "add", "mini", preseed, *at).returncode == 0
    for command in (
        "list",
        "disk list",
        "ext list",
        "app list",
        "home list",
        "persist list",
        "seed list",
        "options list",
    ):
        tell(command, *at)
    for command in ("check", "verify", "ext verify"):
        tell(command, *at)
    tell("list", "--loaders", *at)
    tell("list", "--supported", "debian")
    tell("disk check", "debian", *at)
    tell("ext inspect", "tool", *at)
    tell("inspect", live)
    tell("explain", "live", *at)
    tell("explain", "live", "--overlay", *at)
    tell("upgrade", full, "--dry-run")
    tell("restore", full, "--dry-run")
    tell("devices")
    tell("doctor")
    assert set(DOCUMENTS) - tell.commands == {"log", "test"}  # which have their own tests


def test_what_is_told_of_machines_fits(
    bootkit: Bootkit, stick: Path, make_iso: MakeIso, monkeypatch: pytest.MonkeyPatch
) -> None:
    def boots(
        _: object, targets: tuple[MenuTarget, ...], kinds: list[MachineKind], **__: object
    ) -> Generator[MachineBoot]:
        said = Prediction(path=targets[0].path, answer=Answer.BOOTS)
        result = BootResult(stage=Stage.USERSPACE, ok=True, seconds=20)
        yield MachineBoot(kind=kinds[0], target=targets[0], prediction=said, result=result)

    monkeypatch.setattr("bootkit.cli.machines.boot_on_machines", boots)
    assert bootkit("add", make_iso("debian.iso"), "--stick", stick).returncode == 0
    Told(bootkit)("test", "--machine", MachineKind.CUSTOM, "--stick", stick)
