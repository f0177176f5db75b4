"""A shift of an invented call centre as a story, for benchmarks: who does what when, from a seed.

Everybody comes within twenty minutes, sits down, gets up one and a half times an hour for some
minutes, reports up to three calls, leaves at the end; then the desk is cleaned.
"""

import random

_ROW = 10


def story(desks: int, hours: float, seed: int = 7) -> str:
    """The story's file.

    Args:
        desks: as many as agents, up to 64.
        hours: how long the shift is.
        seed: of all that is chosen.
    """
    dice = random.Random(seed)
    names = [f"{chr(65 + i // _ROW)}{i % _ROW + 1}" for i in range(desks)]
    people = [f"P{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(desks)]
    lines = [
        "title: A shift",
        "requirement: 1.1",
        "slow: true",
        f"site: {{rooms: [{{desks: [{', '.join(names)}]}}]}}",
        f"people: {{agents: [{', '.join(people)}], cleaners: [Cleaner]}}",
        "steps:",
        "  - together:",
    ]
    for who, desk in zip(people, names, strict=True):
        lines.append("      - - wait 1s")
        for at, deed in sorted(_day(dice, who, desk, hours * 3600)):
            lines.append(f"        - at {at:.1f}s: [{deed}]")
    lines.append(f"  - at {hours * 3600:.0f}s: [wait 1s]")
    return "\n".join(lines) + "\n"


def _day(dice: random.Random, who: str, desk: str, seconds: float) -> list[tuple[float, str]]:
    begin = dice.uniform(0, min(1200, seconds * 0.05))
    end = seconds * 0.93 - dice.uniform(0, seconds * 0.05)
    deeds = [(begin, f"{who} badges in at {desk}"), (begin + 3, f"{who} sits down at {desk}")]
    for _ in range(round(seconds / 2400)):
        away = dice.uniform(begin + 60, max(begin + 61, end - 400))
        deeds.append((away, f"{who} gets up from {desk}"))
        deeds.append((away + dice.uniform(60, 300), f"{who} sits down at {desk}"))
    deeds += [
        (dice.uniform(begin + 60, end), f"{who} presses the button at {desk}")
        for _ in range(dice.choice((0, 1, 1, 2, 3)))
    ]
    deeds.append((end, f"{who} leaves {desk}"))
    deeds.append((end + dice.uniform(30, 200), f"Cleaner cleans {desk}"))
    return deeds
