"""The buzzer sounds at once, note after note, and falls silent."""

import asyncio

from desk_unit import looks
from drivers.buzzer import Buzzer
from port import sleep_ms


class Pwm:
    def __init__(self):
        self.heard = []
        self.hz = 0

    def init(self, freq, duty_u16):
        assert duty_u16
        self.hz = freq
        self.heard.append(freq)

    def duty_u16(self, duty):
        assert duty == 0
        self.hz = 0


async def playing(*patterns, pause=0):
    pwm = Pwm()
    buzzer = Buzzer(pwm)
    task = asyncio.create_task(buzzer.run())
    await sleep_ms(0)
    for pattern in patterns:
        buzzer.play(pattern)
        await sleep_ms(pause)
    await sleep_ms(150)
    task.cancel()
    return pwm


async def test_the_first_note_sounds_before_play_returns():
    pwm = Pwm()
    Buzzer(pwm).play(b"\x14\x05")
    assert pwm.hz == 1_000


async def test_notes_follow_each_other_and_end_in_silence():
    pwm = await playing(b"\x14\x02\x00\x02\x28\x02")
    assert pwm.heard == [1_000, 2_000]
    assert pwm.hz == 0


async def test_a_new_pattern_takes_the_place_of_the_old_one():
    pwm = await playing(b"\x14\x02\x15\x02\x16\x02", b"\x28\x02\x29\x02", pause=5)
    assert pwm.heard == [1_000, 2_000, 2_050]
    assert pwm.hz == 0


async def test_nothing_and_half_a_note_are_silence():
    pwm = await playing(b"", b"\x14")
    assert pwm.heard == []


def test_own_not_yours_pressed_and_stored_sound_different():
    words = ("own", "not-yours", "pressed", "stored", "seen", "withdrawn")
    assert len({looks.notes(word) for word in words}) == len(words)


def test_every_verdict_that_is_no_welcome_sounds_the_same_low_and_short():
    words = ("not-yours", "unknown", "elsewhere", "not-cleaned", "badge-first")
    sounds = {looks.notes(word) for word in words}
    assert sounds == {looks.notes("no-such-word")}
    notes = sounds.pop()
    assert len(notes) == 2
    assert notes[0] * 50 < looks.notes("own")[0] * 50
    assert notes[1] * 10 < 100
