"""A whole floor with and without what is left out: `python -m tests.sim.virtual.floor`.

`--desks 50 --minutes 3 --seed 1` are what it does without. Tells the same story twice, with every
kind of desk and troubles of most kinds, and compares what is stored and what desks showed when.
Exit code 1 when anything differs. With nothing left out it takes a second or two for each of the
story's at fifty desks.
"""

import random
import sys
import tempfile
from itertools import cycle, pairwise, product, zip_longest
from pathlib import Path

from sim.scenario.record import Event, Result
from tests.sim.virtual.stories import told

_ROW = 10
_READERS = ("mfrc522", "pn532")
_PRESENCE = (
    "ld2410",
    "pir",
    "seat-switch",
    "ld2410, pir",
    "pir, seat-switch",
    "ld2410, pir, seat-switch",
)
_TROUBLES = (
    "the broker is restarted",
    "the broker stalls for 6s",
    "the broker delivers twice and in any order for 15s",
    "the relay hangs for 5s",
    "the director hangs for 4s",
    "the database is locked for 4s",
    "the disk is full for 4s",
    "the host's clock jumps ahead by 700ms",
    "the host's clock jumps back by 3s",
    "the relay is killed, wait 3s, the relay is started",
    "the broker is killed, wait 8s, the broker is started",
    "the network of {desk} is lost, wait 9s, the network of {desk} is back",
    "the radio of {desk} roams for 5s",
    "the connections of {desk} are half open",
    "during 15s the radio of {desk} loses 30 %",
    "during 15s the radio of {desk} is late by 300ms",
    "the power of {desk} is cut, wait 2s, the power of {desk} is back",
    "the reader of {desk} is missing, wait 7s, the reader of {desk} is mended",
    "the display of {desk} is missing, wait 7s, the display of {desk} is mended",
)  # fmt: skip


_DEEDS = (
    "{who} badges in at {desk}",
    "{who} sits down at {desk}",
    "{who} gets up from {desk}",
    "{who} presses the button at {desk}",
    "{who} holds the button at {desk} for 2.5s",
    "{who} hammers the button at {desk} 3 times",
    "{who} passes by {desk} for 3s",
    "{who} leaves {desk}",
    "Sam taps his headset at {desk}",
    "Vera cleans {desk}",
)
_PICTURE_S = 0.051
_MEAN_S = 12
"""Between two deeds at a desk."""


def story(desks: int, minutes: float, seed: int) -> str:
    """The story's file: what `desks` people do for so long, and what goes wrong meanwhile."""
    dice = random.Random(seed)
    kinds = cycle(product(_READERS, _PRESENCE))
    names = [f"{chr(65 + i // _ROW)}{i % _ROW + 1}" for i in range(desks)]
    people = [f"P{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(desks)]
    lines = [
        "title: A floor in trouble",
        "requirement: 1.1",
        "needs: virtual time",
        f"people: {{agents: [{', '.join(people)}], cleaners: [Vera], strangers: [Sam]}}",
        "site:",
        "  away: 1 min",
        "  rooms:",
        "    - desks:",
    ]
    lines += [
        f"        - {{name: {name}, reader: {reader}, presence: [{presence}]}}"
        for name, (reader, presence) in zip(names, kinds, strict=False)
    ]
    lines += ["steps:", "  - together:"]
    for who, desk in zip(people, names, strict=True):
        lines += [f"      - - wait {dice.uniform(0, 20):.1f}s"]
        for _ in range(round(minutes * 60 / _MEAN_S)):
            lines.append(
                f"        - if possible: [{dice.choice(_DEEDS).format(who=who, desk=desk)}]"
            )
            lines.append(f"        - wait {dice.uniform(0.1, 2 * _MEAN_S - 4):.1f}s")
    for trouble in _TROUBLES:
        lines.append(f"      - - wait {dice.uniform(0.1, 0.8) * minutes * 60:.1f}s")
        lines.append(f"        - if possible: [{trouble.format(desk=dice.choice(names))}]")
    lines.append("  - wait 30s")
    return "\n".join(lines) + "\n"


def shown(result: Result) -> list[Event]:
    """What desks showed from when on, desk by desk, but for words of a single picture."""
    words = [each for each in result.events if each.kind == "shown"]
    words.sort(key=lambda each: (each.desk or "", each.at))
    last = [
        one.desk != other.desk or other.at - one.at > _PICTURE_S for one, other in pairwise(words)
    ]
    kept = [each for each, lasts in zip(words, [*last, True], strict=True) if lasts]
    same = [one.desk == other.desk and one.text == other.text for one, other in pairwise(kept)]
    return [each for each, again in zip(kept, [False, *same], strict=True) if not again]


def different(one: Result, other: Result) -> list[str]:
    """What was not shown alike; at the same time, give or take a picture.

    Who draws first of those that are due in one millisecond is not told.
    """
    pairs = zip_longest(shown(one), shown(other), fillvalue=Event(0, None, "shown", "nothing"))
    return [
        f"{a.desk} {a.text} at {a.at}, {b.desk} {b.text} at {b.at}"
        for a, b in pairs
        if (a.desk, a.text) != (b.desk, b.text) or abs(a.at - b.at) > _PICTURE_S
    ]


def both(desks: int, minutes: float, seed: int) -> tuple[Result, Result]:
    """The same story, with and without what is left out."""
    with tempfile.TemporaryDirectory(prefix="chequer-floor-") as folder:
        file = Path(folder) / "floor.yaml"
        file.write_text(story(desks, minutes, seed), encoding="utf-8")
        return told(file), told(file, leave_out=False)


def main(words: list[str]) -> int:
    """Tell, compare, say."""
    options = dict(zip(words[::2], map(float, words[1::2]), strict=True))
    desks, seed = int(options.get("--desks", 50)), int(options.get("--seed", 1))
    quiet, whole = both(desks, options.get("--minutes", 3), seed)
    wrong = different(quiet, whole)
    same = quiet.facts == whole.facts and not wrong
    for result in (quiet, whole):
        print(
            f"{result.outcome}: {result.facts}, {result.told:.0f} s told in {result.seconds:.0f} s"
        )
    print("\n".join(wrong[:10]) or f"{len(shown(quiet))} words on displays, the same")
    print("the same facts" if quiet.facts == whole.facts else "DIFFERENT facts")
    return 0 if same and quiet.outcome == whole.outcome == "passed" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
