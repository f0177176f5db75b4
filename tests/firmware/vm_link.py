"""A link on the MicroPython VM: its words are one line of JSON on standard input.

`config` is the unit's configuration, `facts` how many are made, `seconds` how long it may take.
Prints lines of JSON: {"log": ...} as they come, in the end {"waiting": ..., "fault": ...}. Over a
serial line (`tty`) it opens that device.
"""

import asyncio
import json
import sys

from desk_unit.byte_reader import ByteReader
from desk_unit.clock import Uptime, WallClock
from desk_unit.config import Config
from desk_unit.facts import Facts
from desk_unit.journal import Journal
from desk_unit.lane import Lane
from desk_unit.link import Link
from desk_unit.ram_flash import RamFlash
from desk_unit.wires import wire


class Unit:
    """Listener and hardware in one."""

    def __init__(self, words):
        self.words = words
        self.config = Config(json.dumps(words["config"]))
        self.uptime = Uptime()
        self.wifi = self
        self.resolve = lambda name, port: (words.get("address", name), port)
        self.connect = asyncio.open_connection
        key = {"unit": self.config.unit, "boot": words.get("boot", 3), "uptime": self.uptime}
        self.lanes = [
            Lane(word, name, self.journal(), **key)
            for word, name in (("button", "button"), ("fact", "ordinary"))
        ]
        self.facts = Facts(self.lanes[1], self.lanes[0], self.uptime, WallClock(self.uptime))
        self.link = Link(
            self.config,
            self.lanes,
            wire=wire(self.config, self),
            uptime=self.uptime,
            random=lambda: 0,
            listener=self,
            log=lambda line: print(json.dumps({"log": line})),
        )

    @staticmethod
    def journal():
        journal = Journal(RamFlash(64))
        journal.mount()
        return journal

    async def open_serial(self):
        device = open(self.words["tty"], "r+b", 0)  # noqa: SIM115, ASYNC230, PTH123
        return ByteReader(device), asyncio.StreamWriter(device, {})

    async def up(self):
        pass

    def is_up(self):
        return True

    def state(self):
        return json.dumps({"unit": self.config.unit, "online": True}).encode()

    def ignore(self, *_):
        pass

    heard = sent = stored = ignore

    def verdict(self, *verdict):
        print(json.dumps({"verdict": verdict}))

    def guidance(self, word):
        print(json.dumps({"guidance": word}))

    def waiting(self):
        return sum(lane.journal.waiting for lane in self.lanes)

    async def run(self):
        for number in range(self.words.get("facts", 0)):
            if number % 5:
                self.facts.seat(bool(number & 1))
            else:
                self.facts.press()
        asyncio.create_task(self.link.run())  # noqa: RUF006 (MicroPython's loop holds on to it)
        begun = self.uptime.now()
        limit = self.words["seconds"] * 1000
        while self.uptime.now() - begun < limit and (  # noqa: ASYNC110
            self.waiting() or not self.link.connected
        ):
            await asyncio.sleep(0.02)
        took = self.uptime.now() - begun
        print(json.dumps({"waiting": self.waiting(), "fault": self.link.fault, "took_ms": took}))


asyncio.run(Unit(json.loads(sys.stdin.readline())).run())
