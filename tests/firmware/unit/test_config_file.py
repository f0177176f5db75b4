"""The configuration's file, and the last good one."""

import json
import os

from desk_unit.config import ConfigError
from desk_unit.config_file import GOOD, NAME, load
from tests.firmware.unit.test_config import GOOD as FIELDS

FIRST = json.dumps(FIELDS).encode()
SECOND = json.dumps(dict(FIELDS, unit="b2")).encode()


class Folder:
    """An empty folder of our own, gone afterwards."""

    count = 0

    def __enter__(self):
        Folder.count += 1
        base = os.getenv("TMPDIR") or "/tmp"
        self.name = "%s/chequer-config-%d-%d/" % (base, id(self), Folder.count)
        os.mkdir(self.name)
        return self

    def __exit__(self, *_):
        for name in os.listdir(self.name):
            os.remove(self.name + name)
        os.rmdir(self.name)

    def put(self, name, data):
        with open(self.name + name, "wb") as file:
            file.write(data)

    def get(self, name):
        with open(self.name + name, "rb") as file:
            return file.read()


def loaded(folder):
    config = load(folder.name)
    return config, config.fault


def refusal(folder):
    try:
        load(folder.name)
    except ConfigError as error:
        return str(error)
    raise AssertionError("accepted")


def test_good_file_is_used_and_kept():
    with Folder() as folder:
        folder.put(NAME, FIRST)
        config, fault = loaded(folder)
        assert (config.unit, fault) == ("a1", "")
        assert folder.get(GOOD) == FIRST
        assert sorted(os.listdir(folder.name)) == sorted((NAME, GOOD))


def test_wrong_file_is_named_with_its_line_and_the_last_good_one_is_used():
    with Folder() as folder:
        folder.put(NAME, FIRST)
        load(folder.name)
        for wrong in (b"", FIRST[:-9], b"{\n}", b"\x00" * 50, b"\xff"):
            folder.put(NAME, wrong)
            config, fault = loaded(folder)
            assert config.unit == "a1"
            assert fault.startswith("config.json, line "), fault
            assert fault.endswith("The last good one is used.")
            assert folder.get(GOOD) == FIRST


def test_missing_file_leaves_the_last_good_one():
    with Folder() as folder:
        folder.put(GOOD, FIRST)
        config, fault = loaded(folder)
        assert config.unit == "a1"
        assert "config.json can't be read" in fault


def test_better_file_replaces_the_last_good_one():
    with Folder() as folder:
        folder.put(NAME, FIRST)
        load(folder.name)
        folder.put(NAME, SECOND)
        config, fault = loaded(folder)
        assert (config.unit, fault) == ("b2", "")
        assert folder.get(GOOD) == SECOND


def test_without_any_good_file_the_refusal_is_about_the_provisioned_one():
    with Folder() as folder:
        assert "config.json can't be read" in refusal(folder)
        folder.put(NAME, b"{\n\n?")
        folder.put(GOOD, b"")
        assert "config.json, line 3" in refusal(folder)


def test_power_cut_while_copying_loses_neither_file():
    with Folder() as folder:
        folder.put(NAME, FIRST)
        load(folder.name)
        folder.put(NAME, SECOND)
        for copy in (b"", FIRST, SECOND):  # a first copy that was cut; before; after
            folder.put(GOOD, copy)
            assert load(folder.name).unit == "b2"
            folder.put(NAME, b"broken")
            assert load(folder.name).unit == "b2"
            folder.put(NAME, SECOND)


def test_unwritable_file_system_is_reported_and_the_unit_runs():
    with Folder() as folder:
        folder.put(NAME, FIRST)
        os.mkdir(folder.name + GOOD)
        try:
            config, fault = loaded(folder)
        finally:
            os.rmdir(folder.name + GOOD)
        assert config.unit == "a1"
        assert "can't be kept" in fault
