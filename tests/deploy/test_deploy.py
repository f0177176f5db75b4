"""What is meant for other machines, read by the tools that will read it."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from host_bridge import doctor
from host_bridge.store import Run, WorkerRow
from tests.host_bridge import site
from tests.host_bridge.served import serving
from tests.services import Mosquitto, program

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def metrics_of(text: str) -> set[str]:
    return set(re.findall(r"\bchequer_[a-z_]+", text))


def expressions() -> dict[str, str]:
    """Every expression of rules and dashboard, by what it is for."""
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
    found = {rule["alert"]: rule["expr"] for group in rules["groups"] for rule in group["rules"]}
    board = json.loads((DEPLOY / "grafana" / "chequer.json").read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            found[f"{panel['title']} {target['refId']}"] = target["expr"]
    return found


def test_prometheus_accepts_the_rules():
    promtool = program("promtool")
    said = subprocess.run(
        [promtool, "check", "rules", str(DEPLOY / "prometheus" / "rules.yml")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout + said.stderr


def test_doctor_and_alert_find_deletion_overdue_after_the_same_time():
    limit = re.fullmatch(r".* > (\d+)", expressions()["ChequerDeletionOverdue"])
    assert limit
    assert int(limit[1]) * 1000 == doctor.OVERDUE_MS


def test_each_metric_of_rules_and_dashboard_is_told_and_each_alert_says_what_to_do(
    tmp_path: Path, mosquitto: Mosquitto
):
    with serving(tmp_path, mosquitto) as served:
        site.commit(served.store, site.seat("u1", 1, True), site.seat("u1", 4, True), dead=1)
        served.store.heartbeat(
            WorkerRow(worker="w1", in_flight=0, queue_depth=0, last_commit_ms=site.now_ms(),
                      reconnects=0, updated_ms=site.now_ms())
        )  # fmt: skip
        served.store.retention.write_runs(
            site.NAME,
            [Run(at_ms=site.now_ms(), data="taps", limit_ms=1, deleted=0, oldest_ms=site.now_ms())],
        )
        served.online("u1")
        text = httpx.get(f"{served.url}/metrics").text
    told = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line[0] != "#"}
    for what, expression in expressions().items():
        assert metrics_of(expression) or expression.startswith("up{"), what
        missing = metrics_of(expression) - told
        assert not missing, f"{what} asks for {missing}"
    for group in yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in {"warning", "critical"}
            assert len(rule["annotations"]["description"]) > 40


def test_nothing_is_counted_per_person_in_rules_and_dashboard():
    words = " ".join(expressions().values())
    labels = set(re.findall(r"by \(([^)]*)\)", words))
    assert labels <= {"worker", "unit", "state", "standing", "le", "room", "version", "data"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_each_unit_and_its_hardening_holds(unit: Path, tmp_path: Path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed here")
    # What it starts is not installed where the unit says; it need not be, to be understood.
    text = unit.read_text().replace("/opt/chequer/.venv/bin/chequer", "/bin/true")
    copy = tmp_path / unit.name.replace("@", "@one")
    copy.write_text(text)
    said = subprocess.run(
        [analyze, "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    complaints = [line for line in said.stderr.splitlines() if copy.name in line]
    assert not complaints, complaints
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n",
                 "SystemCallFilter=@system-service", "UMask=0027"):  # fmt: skip
        assert line in text


def commands() -> list[list[str]]:
    started = [
        re.search(r"^ExecStart=\S+ (.*)$", unit.read_text(), re.MULTILINE).group(1).split()
        for unit in UNITS
    ]
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return started + [each["command"] for each in services.values() if "command" in each]


def test_units_and_compose_start_commands_that_exist():
    import typer.main

    from host_bridge import cli

    known = typer.main.get_command(cli.app).commands
    assert {words[0] for words in commands()} == {"relay", "serve", "gateway"}
    for words in commands():
        options = {name for each in known[words[0]].params for name in each.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_compose_has_every_part_and_only_files_that_are_there_or_are_named():
    compose: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    assert set(services) == {
        "mosquitto", "postgresql", "relay-1", "relay-2", "serve-1", "serve-2",
    }  # fmt: skip
    started = [each["command"] for each in services.values() if "command" in each]
    names = [words[2] for words in started if words[0] == "relay"]
    assert len(names) == len(set(names)) == 2
    own = {"chequer.toml", "passwords", "secrets.env"}
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = not source.startswith("./") or (DEPLOY / source).exists()
            assert there or source.removeprefix("./") in own, source
        for part in service.get("depends_on", {}):
            assert part in services
    assert (DEPLOY / compose["x-host"]["build"]["dockerfile"].removeprefix("deploy/")).exists()


def test_the_image_has_the_python_that_the_project_asks_for():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert f"FROM python:{wanted.removeprefix('>=')}" in (DEPLOY / "Dockerfile").read_text()


def test_the_brokers_configuration_is_one_that_mosquitto_starts_with(tmp_path: Path):
    from tests.services import free_port, wait_for_port

    port = free_port()
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    text = (DEPLOY / "mosquitto.conf").read_text()
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
    text = text.replace("/mosquitto/config/passwords", str(passwords))
    conf = tmp_path / "mosquitto.conf"
    conf.write_text(text + "\nuser root\n")
    process = subprocess.Popen([program("mosquitto"), "-c", str(conf)], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
    finally:
        process.terminate()
        process.wait(10)
