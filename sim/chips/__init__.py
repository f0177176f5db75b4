"""Register-level models of the desk unit's chips, each usable alone through the chip's own bus.

They run on CPython and on MicroPython. A `clock` that is handed in is a callable that returns
microseconds which never go back and never wrap (`time.ticks_us` of the 64-bit unix port,
`time.monotonic_ns() // 1000`, or a simulated clock).
"""
