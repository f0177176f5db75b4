"""What a world is like: every number, its unit, and where it comes from.

"Assumption" means what it says: nobody has measured it for us, it is only plausible. Of the
literature we take forms (which distribution), hardly ever values:

- Gans, Koole, Mandelbaum (2003), "Telephone Call Centers: Tutorial, Review, and Research
  Prospects", MSOM 5(2): Poisson arrivals whose rate follows the hour, routing to the agent who
  has been idle longest, patience.
- Brown, Gans, Mandelbaum, Sakov, Shen, Zeltyn, Zhao (2005), "Statistical Analysis of a Telephone
  Call Center", JASA 100(469): log-normal times of service; two peaks a day.
- Garnett, Mandelbaum, Reiman (2002), "Designing a Call Center with Impatient Customers", MSOM
  4(3): exponential patience (Erlang-A).
- Decreto legislativo 81/2008 (Italy), article 175: a pause of fifteen minutes after each two
  hours at a screen, where nothing else is agreed.
"""

from typing import Annotated, Literal

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Rate = Annotated[float, msgspec.Meta(ge=0, le=1000)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Minutes = Annotated[float, msgspec.Meta(ge=0, le=1440)]

LEAD_S = 900
"""A day's plan begins so long before the doors open: early birds are on their way."""


class Size(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of a call centre there is, for how long."""

    kind: Literal["day", "shift change"] = "day"
    """`shift change`: half of the agents leave and the other half come, within `minutes`."""
    seats: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 20
    """Desks that may be used at the same time."""
    agents: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 24
    """People on the roster. Who finds no seat on it works from home that day."""
    cleaners: Annotated[int, msgspec.Meta(ge=0, le=200)] = 1
    hours: Annotated[float, msgspec.Meta(ge=0.5, le=16)] = 8.0
    """From the opening to the last agent's end."""
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 1
    opens: Annotated[float, msgspec.Meta(ge=0, lt=24)] = 8.0
    """Hour of the day at which the doors open."""
    minutes: Annotated[float, msgspec.Meta(gt=0, le=120)] = 10.0
    """How long a shift change takes."""


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A world's numbers. Shares lie between 0 and 1, rates are per hour."""

    size: Size = Size()

    # Shifts and breaks
    shift_h: Annotated[float, msgspec.Meta(gt=0, le=12)] = 8.0
    """Hours of a shift; shorter where the doors are open for less. Full time."""
    stagger_min: Annotated[float, msgspec.Meta(gt=0)] = 15.0
    """Shifts begin at multiples of this. Intervals of planning are 15 or 30 min (Gans et al.)."""
    early_min: Annotated[float, msgspec.Meta(ge=0, le=15)] = 4.0
    """How long before the shift people come, on average. Assumption."""
    early_sd_min: Minutes = 3.0
    """How much that differs. Assumption."""
    late_share: Share = 0.08
    """Who comes late (bus, children). Assumption."""
    late_min: Minutes = 12.0
    """Mean lateness then, exponential. Assumption."""
    pause_min: Minutes = 15.0
    """A pause away from the screen (81/2008, article 175)."""
    pause_every_h: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    """After so many hours at the screen (81/2008, article 175)."""
    lunch_min: Minutes = 40.0
    """In shifts of six hours or more, about the middle. Assumption."""
    errands: Rate = 0.4
    """Short absences (coffee, toilet), each agent and hour. Assumption."""
    errand_min: Annotated[float, msgspec.Meta(gt=0, le=8)] = 3.5
    """Longest of them; shorter than any site's limit for being away. Assumption."""

    # Calls
    calls: Rate = 8.0
    """Calls that come in, for each agent on shift and hour of mean load. Assumption."""
    talk_s: Seconds = 210.0
    """Mean of a log-normal talk (form: Brown et al.). Assumption as to the value."""
    talk_sigma: Annotated[float, msgspec.Meta(gt=0, le=2)] = 0.9
    """Standard deviation of its logarithm. Assumption."""
    wrap_s: Seconds = 30.0
    """Mean work after a call, exponential. Assumption."""
    patience_s: Seconds = 180.0
    """Mean patience of who waits, exponential (form: Garnett et al.). Assumption as to value."""

    # The button
    abusive: Share = 0.02
    """Abusive calls among those that are answered. Assumption; it differs much by trade."""
    presses: Share = 0.7
    """Abusive calls that are reported. Assumption."""
    after_call: Share = 0.35
    """Reports that follow when the call has ended. Assumption."""
    after_call_s: Seconds = 25.0
    """How long after it, mean, exponential. Assumption."""
    double: Share = 0.2
    """Reports with a second press within a second. Assumption."""
    urgent: Share = 0.1
    """Reports that are one long hold. Assumption."""
    slips: Rate = 0.004
    """Presses by mistake, each agent and hour, withdrawn with one's own headset. Assumption."""

    # Habits
    forgets_badge: Share = 0.03
    """Arrivals without a tap; half of them notice within minutes. Assumption."""
    forgets_tap_out: Share = 0.12
    """Departures without a tap. Assumption."""
    wrong_headset: Share = 0.02
    """Arrivals with a colleague's headset in the hand, put right at once. Assumption."""
    neighbour: Share = 0.06
    """Arrivals at another desk than the usual one though it is free. Assumption."""
    spread: Annotated[float, msgspec.Meta(gt=0)] = 4.0
    """How alike people are: a person's own share is drawn from a beta distribution with the
    share as its mean and so many pseudo-observations. Small: a few people do it all. Assumption."""

    # Cards
    tap_s: Seconds = 0.45
    """How long a card is held, median of a log-normal. Assumption; shortest 0.2 s, longest 3 s."""
    tap_sigma: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.35
    between_cards_s: Seconds = 1.4
    """Between badge and headset, median of the same form. Assumption."""

    # Cleaners
    rounds: Annotated[float, msgspec.Meta(gt=0, le=6)] = 1.0
    """Rounds an hour. Assumption."""
    clean_s: Seconds = 40.0
    """At each desk that needs it. Assumption."""

    # The radar, and who walks by
    passers: Rate = 4.0
    """People who walk by within the radar's reach, each desk and hour. Assumption."""
    visitors: Rate = 0.05
    """Visitors who sit down at an empty desk for some minutes, each desk and hour. Assumption."""
    unknown: Share = 0.3
    """Visitors who try a card of their own, a bus pass say. Assumption."""
    misses: Rate = 1.5
    """Times at which the radar loses somebody who sits still, each desk and hour. Assumption."""
    miss_s: Seconds = 4.0
    """How long, mean, exponential. Few last longer than the unit's filter of 10 s. Assumption."""
    ghosts: Rate = 0.3
    """Times at which it sees somebody who is not there (a fan, a curtain). Assumption."""
    ghost_s: Seconds = 1.0
    """How long, mean, exponential. Assumption."""
