# Runs on MicroPython too, which has neither pathlib nor pytest.
"""A host and a unit for tests of updates, on CPython and on MicroPython.

The bundles are made here a second time, by the letter of docs/update.md, so that the host's code
and the unit's are not only held against each other.
"""

import os
from binascii import hexlify
from hashlib import sha256

from update import slots
from update.head import version_at
from update.manifest import Identity
from update.signature import PublicKey
from update.updater import Updater

# A throwaway key: it signs bundles of tests, and no unit knows it.
_N = int(
    "c68702c10b4b7c69943bda7dab3fd41e0d8b05851e30afd740329560e03bf95a20fec3fe0cc530180ba64326"
    "4608097003e231b0b70fb97271c960420515409dbdb8dad5e3673422ad598efd566d7638120dc94ce1e796b6"
    "3148e4bf02b54eba8f2578e6bcd317fb9de66ca5df7d19ef24e947c4b9183f5ee832a705039ed0254fe06581"
    "5dee7dd6fa59d26de79c217531daac125b9392c0202d9b53b1d23dd6a87598b009f362879cd4f748097fba23"
    "6209b3a0d6462a209cfc86bea2945713f92b708ea07f752b79e46d8103527a5929dbf32c03b181829c743a22"
    "f8d7a783b04a0279be79129a6bdda0dfe3b6d68db9078afc4d1276d89677b8ed0b3421bffb85b9d0118407ff"
    "610146ba31deafcf2ef0d7d6031611dad557e5e38b3d117275f9e0f4fcaa432d04687d8109f2f289bcd570ac"
    "870ee5b2c5e6d367b5959718b0654317f389ed1582075b1ccbf896730515aba91f37a5f5adaf7be56a3af49e"
    "b09075beca5a34447be23ea2fdfcb923c89369b5b9780629c9597d76fc80658b",
    16,
)
_D = int(
    "0891b851368318c8d7e0a8d8317af7aaca6bdc9e4d2f787a42924c6204f121c76852dc33e194e6096100aeb7"
    "a960871917847d1f986f41d274f89117edc49292f1d1ad047c24841ac1151e0d1a5cc434670c6da0221a247b"
    "bdc487372579f2542ed74510df47ff54d99122271b6ea3741a9eefd2f27db4f28c499a1851cfda4284b5a0bc"
    "04f41a93711ff7c0cdb55963b276080fb775e1be3af0025b34fae862151dbfac4d9452059cd93bc942110a2a"
    "fa7c2fb83ab786f1a71a66ade0dcfaa5d5c2ab0c880c9b73ecef933dfed49c8597bdaa0f37b47f36d7f9e489"
    "3e5c6c8e57fb7b911d8dd2b3181a7acfbed02cd5f1ad6a3e608da435bd3395ae94abd52adb76be6bcc248ed7"
    "0f3374e682c8937eb6b05871eeda2e3f6066a5bdc699ac6484e70701f99a30067884fcd6b7c17f69254ee83f"
    "732ca48396ed331aebddfa545a44129e064ee19face8f5f573cab57c402115b1c7252d21b582aa49c389bbcc"
    "d1e1359c2219c290a9fe820f229dc1639e215a41c8d98bcff95ce37e4f587c31",
    16,
)
_SHA256 = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"

MODULUS = _N.to_bytes(384, "big")
KEY = PublicKey(MODULUS)
FILES = {"app.mpy": b"a" * 100, "lib/big.mpy": b"b" * 1500, "lib/deep/c.mpy": b"c" * 700}
"""Path to content; sorted by path."""


def block(digest, padding=b"\xff" * 330):
    """The padded block that a signature of `digest` stands for."""
    return b"\x00\x01" + padding + b"\x00" + _SHA256 + digest


def raw_sign(padded):
    """The signature that stands for these 384 bytes, whatever they are."""
    return pow(int.from_bytes(padded, "big"), _D, _N).to_bytes(384, "big")


_LINES = (
    "chequer-update",
    "product",
    "hardware",
    "mpy",
    "version",
    "requires",
    "downgrade",
    "files",
)


def manifest(contents=None, **changes):
    """A manifest's text for these files; `changes` replace the values of its lines."""
    contents = FILES if contents is None else contents
    values = {
        "chequer-update": "1",
        "product": "desk-unit",
        "hardware": "1 2",
        "mpy": "6",
        "version": "2",
        "requires": "0",
        "downgrade": "0",
        "files": "%d %d" % (len(contents), sum(len(data) for data in contents.values())),
    }
    values.update(changes)
    text = "".join("%s %s\n" % (word, values[word]) for word in _LINES)
    for path in sorted(contents):
        digest = hexlify(sha256(contents[path]).digest()).decode()
        text += "file %s %d %s\n" % (digest, len(contents[path]), path)
    return text.encode()


_signed = {}


def bundle(text=None, signature=None):
    """A bundle of `FILES`, signed if not otherwise told: its name and its bytes."""
    text = manifest() if text is None else text
    if text not in _signed:
        digest = sha256(b"chequer firmware update 1\n" + text).digest()
        _signed[text] = raw_sign(block(digest))
    signature = _signed[text] if signature is None else signature
    head = b"CQU1" + len(text).to_bytes(2, "little") + len(signature).to_bytes(2, "little")
    head += signature + text
    return name_of(head), head + b"".join(FILES[path] for path in sorted(FILES))


def name_of(head):
    """The name of the bundle with this head."""
    return hexlify(sha256(head).digest()[:16]).decode()


class Nvs:
    """`esp32.NVS` in RAM; `broken` makes it fail."""

    def __init__(self, **kept):
        self.kept = kept
        self.broken = False

    def get_i32(self, key):
        """A number; OSError if there is none."""
        if key not in self.kept:
            raise OSError(-4354)
        return self.kept[key]

    def set_i32(self, key, value):
        """Keep a number."""
        if self.broken:
            raise OSError(-4357)
        self.kept[key] = value

    def commit(self):
        """Nothing to do."""


def new_root():
    """An empty folder: on LittleFS in RAM on MicroPython, a temporary one on CPython."""
    try:
        import tempfile
    except ImportError:
        from tests.update.nor import Nor, blank

        try:
            os.umount("/unit")
        except OSError:
            pass
        os.mount(os.VfsLfs2(Nor(blank(96)[0])), "/unit")
        return "/unit"
    return tempfile.mkdtemp()


class Unit:
    """A desk unit as far as updates are concerned, and the host that answers it."""

    def __init__(self, running=2, version=1):
        self.root = new_root()
        self.nvs = Nvs()
        self.running = running
        self.version = version
        self.bundles = {}
        self.asked = []
        """(offset, size) of every piece that was asked for."""
        self.left = 1 << 30
        """How many more pieces the host answers."""

    def updater(self):
        """An updater, as after a start."""
        return Updater(
            root=self.root,
            nvs=self.nvs,
            running=self.running,
            key=KEY,
            unit=Identity("desk-unit", 1, self.version, 6),
            fetch=self.fetch,
        )

    async def fetch(self, name, offset, size):
        """The host's answer."""
        self.asked.append((offset, size))
        self.left -= 1
        if self.left < 0 or name not in self.bundles:
            return None
        return self.bundles[name][offset : offset + size]

    async def update(self, name, data, again=False):
        """Offer a bundle; what the updater says to it."""
        self.bundles[name] = data
        return await self.updater().run(name, len(data), again)

    def read(self, place):
        """A slot's bytes."""
        with open(slots.bundle(self.root, place), "rb") as file:
            return file.read()

    def installed_version(self, place):
        """The version in a slot."""
        return version_at(slots.bundle(self.root, place))
