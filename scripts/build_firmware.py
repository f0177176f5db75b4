"""Builds the folder that is copied to an ESP32: `python scripts/build_firmware.py [folder]`.

`--key FILE` signs it with the key that `chequer update key` made: units that are made from it take
updates signed with that key. Without a key they take none.

Crash records have short names (host_bridge/update/shrink.py); `<folder>.names.json`, beside the
folder, says what they mean. Keep it with each release.
"""

import argparse
from pathlib import Path

from host_bridge.update import bytecode, folder, signing
from host_bridge.update.command import HARDWARE
from host_bridge.update.errors import UpdateError

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "firmware"
TARGET = ROOT / "build" / "firmware"


def main() -> None:
    """Build and say what was built."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=TARGET)
    parser.add_argument("--key", type=Path)
    given = parser.parse_args()
    target = given.folder.resolve()
    try:
        key = signing.load_key(given.key, passphrase=signing.passphrase()) if given.key else None
        made = folder.write(SOURCES, target, hardware=HARDWARE, key=key)
    except UpdateError as error:
        raise SystemExit(f"{error}\n{target} is as it was before.") from error
    print(
        f"{target}: version {bytecode.version_in(SOURCES)}, {len(made.manifest.files)} modules, "
        f"{len(made.data):,} bytes, {'signed' if key else 'NOT signed: units take no updates'}; "
        "copy the folder's content to the unit (chequer provision does)"
    )


if __name__ == "__main__":
    main()
