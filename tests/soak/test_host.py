"""The soak of relay and store by itself: short, and with samples that show a leak."""

from pathlib import Path

import pytest

from tests.soak.host import WARM_S, Happened, Sample, Soak, _judge, soak
from tests.soak.host_picture import draw


@pytest.mark.slow
def test_a_short_soak_loses_nothing_and_can_be_drawn(tmp_path: Path) -> None:
    what = Soak(minutes=0.1, rate=200, seed=1, database="sqlite", relays=1)
    soak(what, tmp_path, None)
    assert what.good, what.amiss
    assert what.stored == what.facts == 1_200
    draw(what.samples, [("broker dies", 1.0, 2.0)], tmp_path / "soak.svg")
    picture = (tmp_path / "soak.svg").read_text()
    assert picture.count("<polyline") == 3
    assert "<title>broker dies</title>" in picture


def judged(memory: list[float], lag: list[float]) -> Soak:
    what = Soak(minutes=10, rate=1, seed=1, database="sqlite", relays=1)
    what.samples = [
        Sample(WARM_S / 2 + second, mib, 5.0, 0, late)
        for second, (mib, late) in enumerate(zip(memory, lag, strict=True))
    ]
    what.faults = [Happened("broker dies", WARM_S + 100, WARM_S + 110, None)]
    _judge(what)
    return what


def test_memory_that_grows_is_amiss() -> None:
    assert judged([100.0] * 500, [0.5] * 500).good
    leaking = judged([100.0 + second / 5 for second in range(500)], [0.5] * 500)
    assert "memory has grown" in leaking.amiss[0]


def test_what_a_fault_delays_is_no_lag_between_faults() -> None:
    lag = [0.5] * 500
    lag[160:175] = [20.0] * 15
    what = judged([100.0] * 500, lag)
    assert what.lag_calm_s == 0.5
    assert what.faults[0].calm == WARM_S / 2 + 175
