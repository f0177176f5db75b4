"""Models of a call centre's days: who comes, sits, calls, presses and cleans when, from a seed.

`day.plan` makes a list of actions out of a `Model`; nothing here knows a unit, a host or a clock.
"""
