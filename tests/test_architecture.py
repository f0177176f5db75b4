"""docs/architecture.md holds: who may import whom, the main road, and what each part is for."""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
OURS = {"firmware", "host_bridge", "hardware", "sim", "tests"}
FIRMWARE = {"desk_unit", "drivers", "update", "board", "port", "port_cpython"}

MAY_IMPORT = {
    "firmware": FIRMWARE,
    "host_bridge": {"host_bridge"},
    "hardware": {"hardware"},
    "sim": {"sim", "firmware", "host_bridge.contract", *FIRMWARE},
}
BOARD_ONLY = {"machine", "network", "esp32", "umachine"}


def imported(file: Path) -> set[str]:
    """Every module that a file imports, with its dots."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def within(module: str, allowed: set[str]) -> bool:
    return any(module == name or module.startswith(name + ".") for name in allowed)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_a_folder_imports_only_what_the_table_allows(folder: str):
    for file in python_files(folder):
        project = {m for m in imported(file) if m.split(".")[0] in OURS | FIRMWARE}
        allowed = MAY_IMPORT[folder]
        if file.is_relative_to(ROOT / "sim" / "virtual"):
            allowed = allowed | {"host_bridge"}  # drives the host's own relay and director
        elif file.is_relative_to(ROOT / "sim" / "explore"):
            allowed = allowed | {"host_bridge.faultpoint"}  # where a relay can be let die
        wrong = {m for m in project if not within(m, allowed)}
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


@pytest.mark.parametrize("folder", ["firmware/desk_unit", "firmware/drivers", "firmware/update"])
def test_only_board_knows_the_esp32(folder: str):
    for file in python_files(folder):
        assert not imported(file) & BOARD_ONLY, file.relative_to(ROOT)


def test_domain_knows_no_database_no_mqtt_and_no_web():
    banned = {
        "sqlalchemy", "paho", "fastapi", "socket", "asyncio",
        "host_bridge.store", "host_bridge.transport", "host_bridge.web", "host_bridge.director",
    }  # fmt: skip
    for file in python_files("host_bridge/domain"):
        wrong = {m for m in imported(file) if within(m, banned)}
        assert not wrong, f"{file.relative_to(ROOT)} imports {wrong}"


def test_the_main_road_is_six_files_that_exist_and_fit_in_one_sitting():
    section = ARCHITECTURE.split("## The main road")[1].split("\n## ")[0]
    road = re.findall(r"^\d+\. `([^`]+)`", section, flags=re.MULTILINE)
    assert 1 <= len(road) <= 6
    for name in road:
        lines = (ROOT / name).read_text(encoding="utf-8").count("\n")
        assert lines <= 300, f"{name} has {lines} lines"


def test_every_direct_dependency_has_its_line():
    for file in sorted((ROOT / "requirements").glob("*.in")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith(("#", "-r")):
                assert f"`{line}`" in ARCHITECTURE, f"{line} ({file.name})"


def test_lock_files_carry_hashes_and_no_index_address():
    for file in sorted((ROOT / "requirements").glob("*.lock")):
        text = file.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|--index-url|--find-links|file:/", text), file.name


def test_no_file_is_longer_than_five_hundred_lines():
    for folder in sorted(OURS):
        for file in python_files(folder):
            lines = file.read_text(encoding="utf-8").count("\n")
            assert lines <= 500, f"{file.relative_to(ROOT)} has {lines} lines"


def test_what_runs_imports_only_what_a_fresh_machine_installs_for_it():
    # Regression: a part of the simulator used what only the tests had installed, and `make run`
    # ended in a traceback on every machine but ours.
    lock = (ROOT / "requirements" / "run.lock").read_text()
    installed = {
        re.sub(r"[-_.]+", "-", name).lower() for name in re.findall(r"(?m)^([\w.-]+)==", lock)
    }
    owners = packages_distributions()
    for folder in ("host_bridge", "sim"):
        for file in python_files(folder):
            if "provision" in file.parts:
                continue  # a bench of its own, requirements/provision.lock
            for module in imported(file):
                names = owners.get(module.split(".")[0], [])
                found = {re.sub(r"[-_.]+", "-", name).lower() for name in names}
                assert not found - {"chequer"} or found & installed, f"{file} imports {module}"
