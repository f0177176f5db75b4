"""Units, site, firmware: what is wrong with an input is said, with its line."""

import re
from pathlib import Path

import pytest

from host_bridge.provision import firmware, site, units
from host_bridge.provision.errors import SetupError
from host_bridge.provision.units import Unit
from tests.provision.workshop import SITE, SITE_KEY, WIFI_PASSWORD, Workshop


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1: the header must name the column 'unit'"),
        ("name\na1\n", "line 1: the header must name the column 'unit'"),
        ("unit,unit\na1,a2\n", "line 1"),
        ("unit,password\na1,x\n", "line 1: unknown column: password"),
        ("unit\n", "it lists no unit"),
        ("unit\na1\nA1\n", "line 3: 'A1' is no unit name"),
        ("unit\n-a\n", "line 2"),
        ("unit\na/b\n", "line 2"),
        ("unit\n" + "a" * 33 + "\n", "line 2"),
        ("unit\na1\na2\na1\n", "line 4: a1 is already in line 2"),
        ("unit,desk\na1,d,e\n", "line 2: more cells than columns"),
        ("unit,desk\na1," + "d" * 33 + "\n", "line 2: a desk has at most 32"),
        ('unit,desk\na1,"d\x07"\n', "line 2: a desk"),
        ('unit\n"a1\n', "no CSV file"),
    ],
)
def test_a_wrong_list_is_refused_with_the_line(tmp_path: Path, text: str, why: str):
    path = tmp_path / "units.csv"
    path.write_text(text)
    with pytest.raises(SetupError, match=re.escape(why)):
        units.load(path)


def test_all_wrong_rows_are_told_at_once(tmp_path: Path):
    path = tmp_path / "units.csv"
    path.write_text("unit\nA\nb\nC\nb\n")
    with pytest.raises(SetupError, match=r"line 2.*line 4.*line 5"):
        units.load(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    path = tmp_path / "units.csv"
    path.write_bytes(b"unit\n\xff\xfe\n")
    with pytest.raises(SetupError, match="UTF-8"):
        units.load(path)


def test_a_list_from_a_spreadsheet_is_read(tmp_path: Path):
    path = tmp_path / "units.csv"
    path.write_bytes("\ufeffunit,desk\r\na1,Büro 3\r\na2,\r\n".encode())
    assert units.load(path) == [Unit("a1", "Büro 3"), Unit("a2")]


def site_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "site.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_site_file_that_others_can_read_is_refused(tmp_path: Path, mode: int):
    with pytest.raises(SetupError, match="chmod 600"):
        site.load(site_file(tmp_path, SITE, mode))


@pytest.mark.parametrize(
    "text",
    [
        SITE.replace(SITE_KEY, SITE_KEY[:-1]),
        SITE.replace(SITE_KEY, SITE_KEY.upper()),
        SITE.replace('ssid = "cc"', "ssid = 5"),
        SITE + 'psk = "other"\n',
        SITE.replace('password = "', "password = "),
        SITE.replace('name = "demo"', 'name = "De mo"'),
        SITE + '[chips]\nreader = "rc522"\n',
        SITE + "[chips]\npresence = []\n",
        SITE + '[chips]\npresence = ["pir", "pir"]\n',
    ],
)
def test_a_wrong_site_file_is_refused_without_showing_a_secret(tmp_path: Path, text: str):
    with pytest.raises(SetupError) as error:
        site.load(site_file(tmp_path, text))
    assert WIFI_PASSWORD not in str(error.value)
    assert SITE_KEY[:-1] not in str(error.value).lower()


def test_a_site_never_shows_its_secrets_in_a_traceback(tmp_path: Path):
    shown = repr(site.load(site_file(tmp_path, SITE)))
    assert WIFI_PASSWORD not in shown
    assert SITE_KEY not in shown


def test_a_new_site_file_is_the_owners_only_and_never_replaces_one(tmp_path: Path):
    path = tmp_path / "site.toml"
    site.create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(site.load(path).key) == 64
    with pytest.raises(SetupError, match="File exists"):
        site.create(path)


def test_what_starts_the_unit_is_copied_last(workshop: Workshop):
    folder = workshop.folder / "firmware"
    (folder / "boot.py").write_text("")
    (folder / "zz.py").write_text("")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_text("")
    assert list(firmware.load(folder, 100_000)) == [
        "board/pins.py", "port.py", "zz.py", "boot.py", "main.py",
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", ["no main.py", "a config.json"])
def test_a_folder_that_is_no_firmware_is_refused_before_any_board(workshop: Workshop, wrong: str):
    folder = workshop.folder / "firmware"
    if wrong == "no main.py":
        (folder / "main.py").unlink()
    else:
        (folder / "config.json").write_text("{}")
    done = workshop.provision()
    assert done.returncode == 2
    assert wrong in done.stdout
    assert "No board was touched." in done.stdout


def test_a_firmware_that_does_not_fit_is_refused_before_any_board(workshop: Workshop):
    (workshop.folder / "firmware" / "big.py").write_text("#" * 208 * 1024)
    done = workshop.provision()
    assert done.returncode == 2
    assert "the file system has 212992" in done.stdout
