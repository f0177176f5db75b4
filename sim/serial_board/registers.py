"""The registers that esptool reads on an ESP32, revision 3.0.

Addresses: ESP32 Technical Reference Manual, "eFuse Controller" and "SPI"; the meaning of the eFuse
words: esptool, target ESP32. All other registers keep what is written to them.
"""

_MAGIC = 0x40001000
_EFUSE = 0x3FF5A000
_UART_CLKDIV = 0x3FF40014
_SYSCON_DATE = 0x3FF6607C
_SPI_CMD, _SPI_ADDR, _SPI_USR2, _SPI_W0 = 0x3FF42000, 0x3FF42004, 0x3FF42024, 0x3FF42080
_SPI_RUN = 1 << 18
_RDID, _RDSFDP = 0x9F, 0x5A
_FLASH_ID = 0x1640EF  # Winbond, 4 MiB: capacity 2**0x16
_SFDP = 0x50444653

_MAGIC_ESP32 = 0x00F01D83
_CRYSTAL_HZ = 40_000_000
_BAUD = 115_200


class Registers:
    """The register file of the chip with this MAC (six bytes)."""

    def __init__(self, mac: bytes) -> None:
        revision_3 = {
            _EFUSE + 12: 1 << 15 | 1 << 9,  # first bit of the revision; package: ESP32-D0WD
            _EFUSE + 20: 1 << 20,
            _SYSCON_DATE: 1 << 31,
        }
        self._words = {
            _MAGIC: _MAGIC_ESP32,
            _EFUSE + 4: int.from_bytes(mac[2:], "big"),
            _EFUSE + 8: int.from_bytes(mac[:2], "big"),
            _UART_CLKDIV: _CRYSTAL_HZ // _BAUD,
            **revision_3,
        }

    def read(self, address: int) -> int:
        """The 32-bit word there."""
        return self._words.get(address, 0)

    def write(self, address: int, value: int, mask: int) -> None:
        """Set the masked bits; a command for the flash chip is carried out at once."""
        if address == _SPI_CMD and value & _SPI_RUN:
            self._ask_flash()
        elif not _EFUSE <= address < _EFUSE + 0x100:
            self._words[address] = self.read(address) & ~mask | value & mask

    def _ask_flash(self) -> None:
        command = self.read(_SPI_USR2) & 0xFF
        at_start = self.read(_SPI_ADDR) == 0
        answers = {_RDID: _FLASH_ID, _RDSFDP: _SFDP if at_start else 0}
        self._words[_SPI_W0] = answers.get(command, 0)
