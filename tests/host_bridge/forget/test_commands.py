"""`chequer forget`: deletes, proves, only looks; exit codes that mean something."""

from pathlib import Path

import pytest

from host_bridge import cli
from host_bridge.store import Store
from tests.host_bridge import site

HOUR = 3_600_000


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database with two taps, one of which is over its time."""
    monkeypatch.delenv("CHEQUER_STORE_URL", raising=False)
    file = tmp_path / "chequer.toml"
    file.write_text(
        f'[site]\nname = "{site.NAME}"\n[store]\nurl = "sqlite:///{tmp_path}/chequer.db"\n'
    )
    store = Store.open(f"sqlite:///{tmp_path}/chequer.db")
    site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA), ago_ms=72 * HOUR)
    site.commit(store, site.tap("u1", 2, site.HEADSET_OF_ANNA), ago_ms=HOUR)
    store.close()
    return file


def told(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, str]:
    """How a command ended, and what it said."""
    monkeypatch.setattr("sys.argv", ["chequer", "forget", "--config", str(config), *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = capsys.readouterr()
    return int(end.value.code or 0), said.out + said.err


def test_it_looks_deletes_and_looks_again(config, monkeypatch, capsys):
    code, said = told(config, monkeypatch, capsys, "--check")
    assert (code, "1 rows are over their time" in said) == (1, True)
    code, said = told(config, monkeypatch, capsys, "--dry-run")
    assert (code, "1 rows would be deleted" in said) == (0, True)
    code, said = told(config, monkeypatch, capsys)
    assert (code, "Nothing is left that is over its time." in said) == (0, True)
    code, said = told(config, monkeypatch, capsys, "--check")
    assert (code, "Nothing is over its time." in said) == (0, True)


def test_no_tag_and_no_person_is_in_what_it_says(config, monkeypatch, capsys):
    said = told(config, monkeypatch, capsys)[1]
    assert site.HEADSET_OF_ANNA not in said
    assert "u1" not in said


def test_a_clock_that_may_be_wrong_is_named_unless_somebody_says_that_it_is_right(
    tmp_path, monkeypatch, capsys
):
    file = tmp_path / "chequer.toml"
    file.write_text(f'[site]\nname = "hq"\n[store]\nurl = "sqlite:///{tmp_path}/old.db"\n')
    store = Store.open(f"sqlite:///{tmp_path}/old.db")
    site.commit(store, site.tap("u1", 1, site.HEADSET_OF_ANNA), ago_ms=400 * HOUR)
    store.close()
    code, said = told(file, monkeypatch, capsys)
    assert (code, "Nothing was deleted" in said) == (1, True)
    assert told(file, monkeypatch, capsys, "--check")[0] == 1
    assert told(file, monkeypatch, capsys, "--clock-is-right")[0] == 0
    assert told(file, monkeypatch, capsys, "--check")[0] == 0
