"""`machine.I2C` and `SoftI2C`."""

import circuit

_ENODEV = 19


class I2C:
    """A bus controller. A chip that doesn't answer raises OSError(ENODEV), as on the ESP32."""

    def __init__(self, *args, scl=None, sda=None, freq=400_000, timeout=50_000):
        pass

    def scan(self):
        """Addresses that answer."""
        return list(circuit.i2c)

    def writeto(self, addr, buf, stop=True):
        """Send one message; returns how many bytes were acknowledged."""
        self._chip(addr)(bytes(buf))
        return len(buf)

    def writevto(self, addr, vector, stop=True):
        """Send one message that lies in several buffers."""
        return self.writeto(addr, b"".join(bytes(part) for part in vector))

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        """Write to a register."""
        self.writeto(addr, memaddr.to_bytes(addrsize // 8, "big") + bytes(buf))

    def readfrom_into(self, addr, buf, stop=True):
        """Read: no part of this board has anything to say, so SDA stays high."""
        self._chip(addr)
        for i in range(len(buf)):
            buf[i] = 0xFF

    def readfrom(self, addr, nbytes, stop=True):
        """Read bytes."""
        buf = bytearray(nbytes)
        self.readfrom_into(addr, buf)
        return bytes(buf)

    def _chip(self, addr):
        if addr not in circuit.i2c:
            raise OSError(_ENODEV)
        return circuit.i2c[addr]


SoftI2C = I2C
