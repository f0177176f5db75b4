"""One story told in virtual time, and which invariant it breaks."""

import re
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import msgspec

from sim.explore.plan import Plan, scenario
from sim.scenario.read import read
from sim.scenario.record import Failure
from sim.virtual.tell import tell_virtually

ENDS = "the story comes to an end"
LONGEST_S = 900
"""Seconds of real time after which a story has got stuck."""

_TIMED = re.compile(r"within [\d.]+s: |at the end of every story: ")


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a story.

    Attributes:
        seed: the plan's.
        broken: the sentence that did not hold; empty when all did.
        seen: what was seen instead.
        besides: further sentences that did not hold -> what was seen.
        digest: of everything that was stored; empty when the story did not come to its end.
        told: how long it lasted for those in it, seconds.
        seconds: how long it took to tell.
    """

    seed: int
    broken: str = ""
    seen: str = ""
    besides: dict[str, str] = {}
    digest: str = ""
    told: float = 0.0
    seconds: float = 0.0

    @property
    def wrong(self) -> dict[str, str]:
        """All sentences that did not hold -> what was seen instead."""
        return {self.broken: self.seen, **self.besides} if self.broken else {}


def tried(plan: Plan) -> Trial:
    """Tell a plan's story; nothing in this process may run beside it."""
    with tempfile.TemporaryDirectory(prefix="chequer-explore-") as folder:
        file = Path(folder) / "story.yaml"
        file.write_text(scenario(plan, "Chance", []), encoding="utf-8")
        try:
            with _alarm():
                result = tell_virtually(read(file), None)
        except _StuckError:
            return Trial(seed=plan.seed, broken=ENDS, seen=f"it still goes on after {LONGEST_S} s")
        except Exception as error:  # noqa: BLE001 (whatever it is, it is what we look for)
            return Trial(seed=plan.seed, broken="the host goes on", seen=_said(error))
    failure, *more = result.failures or [Failure(0, "", "")]
    return Trial(
        seed=plan.seed,
        broken=_TIMED.sub("", failure.expected),
        seen=failure.seen,
        besides={_TIMED.sub("", each.expected): each.seen for each in more},
        digest=result.facts.digest if result.facts else "",
        told=result.told,
        seconds=result.seconds,
    )


class _StuckError(BaseException):
    """Nothing of the story may catch it."""


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise _StuckError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LONGEST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _said(error: Exception) -> str:
    """Where it was raised, and what it says."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}: {error}"
