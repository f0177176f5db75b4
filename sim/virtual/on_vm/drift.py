"""A unit whose crystal is off: its own time goes by faster or slower than the site's."""

import time
from asyncio import core

_MILLION = 1_000_000


def install(ppm):
    """From now on ticks and sleeps are off by so many millionths; fast ones are positive."""
    began = time.site_us()
    base_us, ahead_ms, true_us = time._BASE_US, time._AHEAD_MS, time.ticks_us

    def drifted(us):
        return us + (us - began) * ppm // _MILLION

    def ticks_us():
        return base_us + drifted(true_us() - base_us)

    def site_us_of(ms):
        own = (ms - ahead_ms) * 1000 - base_us
        return began - (-(own - began) * _MILLION // (_MILLION + ppm))

    time.ticks_us = ticks_us
    time.ticks_ms = lambda: ticks_us() // 1000
    time.loop_ms = lambda: (base_us + drifted(time.site_us())) // 1000 + ahead_ms
    time.upcoming_ms = lambda: -(-(base_us + drifted(time.site_us())) // 1000) + ahead_ms
    time.site_us_of = site_us_of
    core.ticks = time.loop_ms
