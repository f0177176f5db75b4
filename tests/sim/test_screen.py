"""What the firmware draws is what the simulator reads from the panel, for every word."""

import os
import subprocess
import sys
from pathlib import Path

from sim.glass import read

ROOT = Path(__file__).parents[2]
DRAW = """
import framebuf
from binascii import hexlify
from desk_unit import looks, screen
buffer = bytearray(1024)
canvas = framebuf.FrameBuffer(buffer, 128, 64, framebuf.MONO_VLSB)
glyphs = framebuf.FrameBuffer(bytearray(88), 88, 8, framebuf.MONO_VLSB)
it = screen.Screen(canvas, glyphs)
for row in looks._LOOKS.strip().split("\\n"):
    for marks in range(8):
        it.draw(row.split(" ")[0], marks, 12)
        print(row.split(" ", 5)[5].replace("%d", "12"), marks, hexlify(buffer).decode(), sep="|")
"""
CORNER = {0: [], 1: ["NO", "LINK"], 2: ["DRILL"]}
MARKS = ["NO LINK", "DRILL", "PROVISIONAL"]


def test_every_page_with_every_mark_is_read_as_it_is_meant():
    done = subprocess.run(
        [Path(sys.executable).with_name("micropython"), "-c", DRAW],
        env={**os.environ, "MICROPYPATH": f"{ROOT}/firmware:.frozen"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    wrong = []
    for line in done.stdout.splitlines():
        text, marks, picture = line.split("|")
        number = int(marks)
        corner = CORNER.get(number) or [word for i, word in enumerate(MARKS) if number >> i & 1]
        found = read(bytes.fromhex(picture))
        if found != [*corner, *text.split("/")]:
            wrong.append((text, number, found))
    assert done.stdout
    assert wrong == []
