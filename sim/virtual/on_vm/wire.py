"""The wire to the conductor: this machine runs as far as it is allowed, then says what it did.

Down comes one frame a step: `LLLLLL` (its length, six decimal digits) and JSON, `[grant, inputs]`.
`grant` is the time up to and including which nothing but `inputs` reaches this machine; an input
is `[time, what]`. Up goes a line: `@step [[[time, what], ...], now, next]`; -1
in place of `next` says that more lines of this step follow.
Times are microseconds since the site began. What the firmware prints is every other line.
"""

import json
import sys
import time
from asyncio import core

NEVER = 1 << 60
_MORE = -1
_HEAD = b"@step [["
_SPARE = 80

_SPINS = 5_000
"""So many rounds of the loop without a wait are firmware that never waits: then time passes."""

_stdin = sys.stdin.buffer
_stdout = sys.stdout.buffer
_out = bytearray(8192)
"""What is to be said; made at once, because a long run leaves the memory in pieces."""
_said = 0
_inputs = []
_grant = -1
_spins = 0
obey = None
"""Called with what an input says."""
before_step = None
"""Called before each report."""


def first_words():
    """The frame that comes before all others, as it was sent."""
    return _read()


def tell(text, at=None):
    """Say something (JSON text) that happened now, or at a time; a reset is the last one said."""
    data = text.encode()
    if _said + len(data) + _SPARE > len(_out):
        _say(_MORE)
    if _said > len(_HEAD):
        _put(b",")
    _put(b"[%d," % (time.site_us() if at is None else at))
    _put(data)
    _put(b"]")
    if text.startswith('{"reset"'):
        _exchange(NEVER)
        raise SystemExit


def restrain(us):
    """What was just sent may be answered at `us`: don't run past that without asking."""
    global _grant
    _grant = min(_grant, us - 1)


def _read():
    head = _stdin.read(6)
    if len(head) < 6:
        raise SystemExit  # the conductor is gone
    return json.loads(_stdin.read(int(head)))


def _put(data):
    global _said
    _out[_said : _said + len(data)] = data
    _said += len(data)


def _say(following):
    """One line: what has gathered, and when this machine goes on by itself."""
    global _said
    _put(b"],%d,%d]\n" % (time.site_us(), following))
    _stdout.write(memoryview(_out)[:_said])
    _said = 0
    _put(_HEAD)


def _exchange(following):
    """Report, wait for leave to go on."""
    global _grant
    if before_step:
        before_step()
    _say(following)
    _grant, inputs = _read()
    _inputs.extend(inputs)


def _deliver():
    """What has come in by now."""
    now = time.site_us()
    while _inputs and _inputs[0][0] <= now:
        obey(_inputs.pop(0)[1])


def _wait(_queue, wait_ms):
    """In place of asyncio's wait for input: nothing is to be done for `wait_ms` (or for ever)."""
    global _spins
    if wait_ms == 0:
        _spins += 1
        if _spins > _SPINS:
            time.sleep_ms(1)
        if _inputs:
            _deliver()
        return
    _spins = 0
    while True:
        task = core._task_queue.peek()
        following = time.site_us_of(task.ph_key) if task else NEVER
        first = _inputs[0][0] if _inputs else NEVER
        due = min(following, first)
        if due <= _grant:
            time.go_to(due)
            _deliver()
            return
        _exchange(due)


core.ticks = time.loop_ms
core.IOQueue.wait_io_event = _wait
core._io_queue.map[-1] = None  # a loop without tasks waits, too, and does not end
_put(_HEAD)
