"""Runs on the MicroPython VM: mounts the flash's file system and executes what the REPL is told.

Arguments: mark (hex), flash file, MAC (hex), missing parts. On stdin: length u32 and code, again
and again. On stdout: what the code prints, then the mark, the traceback's length u32 and itself.
"""

# Runs on MicroPython only: CPython's types do not fit.
# mypy: ignore-errors
# ruff: noqa: BLE001

import io
import os
import struct
import sys

import parts

parts.begin(sys.argv[2], sys.argv[3], sys.argv[4])

import esp  # noqa: E402, F401 - loaded while the host's files can still be seen
import esp32  # noqa: E402
import machine  # noqa: E402
import vfs  # noqa: E402

_MARK = bytes(int(sys.argv[1][i : i + 2], 16) for i in range(0, 32, 2))


def _mount():
    """As the ESP32 port does at its start: mount `vfs`, or format it when that fails."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label="vfs")
    if found:
        try:
            files = vfs.VfsLfs2(found[0])
        except OSError:
            vfs.VfsLfs2.mkfs(found[0])
            files = vfs.VfsLfs2(found[0])
    vfs.umount("/")
    if found:
        vfs.mount(files, "/")
        os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]


def _execute(code, variables):
    """The traceback, or b""."""
    try:
        exec(code, variables)  # noqa: S102 - this is what a REPL is for
    except BaseException as error:
        text = io.StringIO()
        sys.print_exception(error, text)
        return text.getvalue().encode()
    return b""


def main():
    """Serve until the process is ended."""
    machine.at_reset(lambda: sys.stdout.buffer.write(_MARK + b"\xff\xff\xff\xff"))
    _mount()
    variables = {"__name__": "__main__"}
    while True:
        (size,) = struct.unpack("<I", sys.stdin.buffer.read(4))
        error = _execute(sys.stdin.buffer.read(size).decode(), variables)
        sys.stdout.buffer.write(_MARK + struct.pack("<I", len(error)) + error)


main()
