"""SNTP: only an answer to our own question, from a server that knows the time, sets the clock."""

import struct

import desk_unit.sntp as module
from desk_unit.clock import HOST, NONE, SNTP, Uptime, WallClock
from desk_unit.sntp import NoTime, Sntp, ask, read
from tests.firmware.unit.test_mqtt_packets import Random

NOON = 1_800_000_000_000
NONCE = b"8 random"


def stamp(time):
    seconds = time // 1000 + 2_208_988_800
    return struct.pack(">II", seconds & 0xFFFFFFFF, (time % 1000 << 32) // 1000 + 1)


def answer(time=NOON, nonce=NONCE, *, first=0x24, stratum=2, held=0, delay=0, dispersion=0):
    head = bytes((first, stratum, 6, 0xEC)) + struct.pack(">II", delay, dispersion)
    return head + bytes(12) + nonce + stamp(time) + stamp(time + held)


class Server:
    """A time server, and the socket to it: what `say` makes of a question comes `late` ms later."""

    def __init__(self, say, late=20):
        self.say = say
        self.late = late
        self.ticks = 5_000
        self.due = []
        self.open = 0
        self.asked = []
        self.uptime = Uptime(lambda: self.ticks, lambda end, start: end - start)
        self.ticks = 65_000
        self.wall = WallClock(self.uptime)
        module.sleep_ms = self.sleep_ms
        random = Random(3)
        self.client = Sntp(
            "time.example",
            open_udp=self.open_udp,
            uptime=self.uptime,
            wall=self.wall,
            random=lambda: random.below(65536),
            is_up=lambda: True,
        )

    async def sleep_ms(self, ms):
        self.ticks += ms

    def open_udp(self, server, port):
        assert (server, port) == ("time.example", 123)
        self.open += 1
        return self

    def send(self, data):
        self.asked.append(data)
        assert len(data) == 48
        for told in self.say(data[40:]):
            self.due.append((self.ticks + self.late, told))

    def recv(self, most):
        if self.due and self.due[0][0] <= self.ticks:
            return self.due.pop(0)[1][:most]
        raise OSError(11)

    def close(self):
        self.open -= 1

    def refusal(self):
        try:
            run(self.client.synchronise())
        except NoTime as error:
            assert not self.open
            return str(error)
        raise AssertionError("believed")


def run(coroutine):
    """A coroutine that never really waits."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


def refused(data):
    try:
        read(data, NONCE)
    except NoTime as error:
        return str(error)
    return ""


def test_question_tells_nothing_but_a_nonce():
    assert ask(NONCE) == b"\x23" + bytes(39) + NONCE


def test_good_answer_is_read_to_the_millisecond():
    for time in (NOON, NOON + 999, 1_700_000_000_000, 2_085_978_496_000, 4_000_000_000_000):
        assert read(answer(time), NONCE) == time
    assert read(answer(NOON, held=400), NONCE) == NOON + 200


def test_answers_that_prove_nothing_are_refused():
    for data, why in (
        (b"", "no answer"),
        (answer()[:47], "no answer"),
        (answer(nonce=b"7 random"), "another question"),
        (answer(first=0x23), "no server"),
        (answer(first=0x25), "no server"),
        (answer(first=0x0C), "no server"),
        (answer(first=0xE4), "no time itself"),
        (answer(stratum=16), "no time itself"),
        (answer(stratum=0), "left alone"),
        (answer(delay=70_000), "not sure"),
        (answer(dispersion=70_000), "not sure"),
        (answer(held=-5), "contradict"),
        (answer(held=1_500), "contradict"),
    ):
        assert why in refused(data), (data, why)


def test_answer_sets_the_clock_to_the_middle_of_the_round_trip():
    server = Server(lambda nonce: [answer(NOON, nonce)], late=100)
    trip = run(server.client.synchronise())
    assert 100 <= trip <= 110
    assert server.wall.quality == SNTP
    assert server.wall.at(60_000 + trip // 2) == NOON
    assert not server.open


def test_forged_answers_before_the_true_one_are_passed_over():
    random = Random(5)
    server = Server(
        lambda nonce: [
            random.bytes(48),
            answer(NOON - 86_400_000, bytes(8)),
            answer(NOON - 86_400_000, stratum=0),
            answer(NOON, nonce),
        ]
    )
    run(server.client.synchronise())
    assert abs(server.wall.at(60_000) - NOON) < 50


def test_silence_and_lateness_are_refused():
    assert "within 2 s" in Server(lambda _: []).refusal()
    assert "took" in Server(lambda nonce: [answer(NOON, nonce)], late=1_200).refusal()
    assert Server(lambda _: [b"x"]).refusal() == "1 bytes are no answer"


def test_every_question_has_another_nonce():
    server = Server(lambda nonce: [answer(NOON, nonce)])
    for _ in range(5):
        run(server.client.synchronise())
    assert len(set(server.asked)) == 5


def test_server_that_lies_is_not_believed_against_the_host():
    for lie in (-20 * 31_536_000_000, -120_000, 120_000, 31_536_000_000):
        server = Server(lambda nonce, lie=lie: [answer(NOON + lie, nonce)])
        server.wall.learn(NOON)
        assert "no" in server.refusal() or "host" in server.refusal()
        assert server.wall.quality == HOST
        assert server.wall.at(60_000) == NOON


def test_time_before_2023_is_no_time():
    server = Server(lambda nonce: [answer(1_600_000_000_000, nonce)])
    server.refusal()
    assert server.wall.quality == NONE


def test_pause_is_an_hour_or_doubles_after_failures_and_is_spread():
    good = Server(lambda nonce: [answer(NOON, nonce)])
    assert 2_700_000 <= run(good.client._once()) <= 3_600_000
    bad = Server(lambda _: [])
    pauses = [run(bad.client._once()) for _ in range(12)]
    assert 6_000 <= pauses[0] <= 8_000
    assert 675_000 <= pauses[-1] <= 900_000
    assert bad.client.fault == "no answer within 2 s"
    alone = Server(lambda nonce: [answer(NOON, nonce, stratum=0)])
    assert run(alone.client._once()) >= 675_000


def test_ten_thousand_random_answers_never_set_the_clock():
    random = Random(17)
    for _ in range(10_000):
        data = bytearray(random.bytes(random.below(70)))
        if len(data) >= 32 and random.below(2):
            data[24:32] = NONCE
            data[0] = 0x24
        try:
            time = read(bytes(data), NONCE)
        except NoTime:
            continue
        assert 0 < time < 1 << 43
