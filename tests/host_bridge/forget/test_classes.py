"""The file of classes names everything that is kept, once, and a site may only shorten times."""

from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from host_bridge.contract.facts import AnyFact
from host_bridge.retention import classes, limits_ms, table
from host_bridge.settings import SettingsError, load
from host_bridge.store.tables import commit_order, facts, leases, metadata


def test_every_table_and_every_type_of_fact_is_in_exactly_one_class():
    tables = Counter(name for each in classes().values() for name in each.tables)
    kinds = Counter(name for each in classes().values() for name in each.facts)
    apart = {commit_order.name, leases.name}
    # The table of facts has rows of several classes, by their types.
    assert tables == Counter({*metadata.tables.keys() - {facts.name}, *apart})
    assert kinds == Counter(kind.__struct_config__.tag for kind in get_args(AnyFact))


def test_every_class_says_what_it_is_for_and_why_so_long():
    for name, each in classes().items():
        assert len(each.purpose) > 10, name
        assert len(each.why) > 10, name


def test_times_are_as_promised():
    hours = {name: ms // 3_600_000 for name, ms in limits_ms({}).items()}
    assert (hours["taps"], hours["seats"], hours["reports"]) == (72, 168, 8760)
    assert hours["dead-letters"] <= hours["taps"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[privacy]\nhour = 24\n", 2, "<= 23"),
        ("[privacy]\ngroup = 4\n", 2, ">= 5"),
        ("[privacy.keep]\n\ntaps = 73\n", 3, "72 hours at most"),
        ("[privacy.keep]\nseats = 200\ntaps = 48\n", 2, "168 hours at most"),
        ("[privacy.keep]\ntaps = 12\n", 2, "24 hours at least"),
        ("[privacy.keep]\ntaps = 48\nseats = 47\n", 3, "as long as taps"),
        ("[privacy.keep]\nregister = 48\n", 2, "none can be set"),
        ("[privacy.keep]\nhoroscopes = 48\n", 2, "no class of data"),
        ("[privacy.keep]\ntaps = 'long'\n", 1, "Expected `int`"),
    ],
)
def test_a_time_that_is_not_allowed_is_named_with_file_and_line(tmp_path: Path, text, line, words):
    file = tmp_path / "chequer.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        load(file)
    assert words in str(error.value)
    assert str(error.value).startswith(f"{file}:{line}: ")


def test_a_site_may_shorten_what_is_about_persons_and_lengthen_what_is_not(tmp_path: Path):
    file = tmp_path / "chequer.toml"
    file.write_text("[privacy]\ngroup = 5\n[privacy.keep]\ntaps = 24\nseats = 24\nfaults = 20000\n")
    found = limits_ms(load(file).privacy.keep)
    assert (found["taps"], found["faults"]) == (86_400_000, 72_000_000_000)


def test_the_page_about_privacy_has_the_classes_of_the_file():
    page = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text(encoding="utf-8")
    between = page.split("<!-- classes: python -m host_bridge.retention -->\n\n")[1]
    assert between.split("\n<!-- end of classes -->")[0] == table()
