"""Opens the stream to the broker: the name is resolved anew each time, TLS as configured.

Certificate and name are checked by mbedTLS during the handshake, which on MicroPython happens
with the first write. Expiry needs a clock that is right, so a unit with a pinned authority wants
SNTP; TLS-PSK needs no clock.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Dial:
    """Call `open` for every new connection.

    Args:
        config: The unit's `Config`.
        resolve: Function (name, port) that returns (address, port); raises OSError. It may block.
        connect: Coroutine function as `asyncio.open_connection`, without `server_hostname` and
            with `ssl=None` when there is no TLS.
    """

    def __init__(self, config, *, resolve: "Callable", connect) -> None:
        self._config = config
        self._resolve = resolve
        self._connect = connect

    async def open(self):
        """(reader, writer) of asyncio.

        Raises:
            OSError: The name can't be resolved, nobody listens, or (on CPython) TLS failed.
        """
        config = self._config
        try:
            address, port = self._resolve(config.host, config.port)
        except OSError as error:
            reason = "the name %s can't be resolved: %s" % (config.host, error)
        else:
            return await self._open(address, port)
        raise OSError(reason)

    async def _open(self, address: str, port: int):
        config = self._config
        if config.psk:
            context = _psk(*config.psk)
            return await self._connect(address, port, ssl=context, server_hostname=config.host)
        if config.ca:
            context = _pinned(config.ca)
            name = config.server_name
            return await self._connect(address, port, ssl=context, server_hostname=name)
        return await self._connect(address, port)


def _pinned(ca: bytes):
    """A context that trusts one certificate authority."""
    import ssl

    context: "Any" = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ca)
    return context


def _psk(identity: str, key: bytes):
    """A context with a pre-shared key [RFC 4279]; MicroPython 1.29 or later."""
    import tls  # its `ssl` does not hand the key through

    context: "Any" = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_NONE  # the key proves who both are; there is no certificate
    context.psk_identity = identity
    context.psk_key = key
    return context
