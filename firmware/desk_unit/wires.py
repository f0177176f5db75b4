"""How a unit reaches its host, by its configuration: MQTT over Wi-Fi, or frames over USB."""


def wire(config, hardware):
    """What `Link` connects over.

    Args:
        config: The unit's `Config`.
        hardware: What the unit is made of: `wifi` (`async up()`, which raises OSError if it
            can't, and `is_up()`), `resolve` and `connect` (see `dial.Dial`), `open_serial`
            (coroutine function that returns asyncio's reader and writer).
    """
    return Cable(config, hardware) if config.link == "serial" else Broker(config, hardware)


class Broker:
    """MQTT to a broker, over Wi-Fi."""

    def __init__(self, config, hardware) -> None:
        from . import mqtt
        from .dial import Dial

        self._make = mqtt.Connection
        self._dial = Dial(config, resolve=hardware.resolve, connect=hardware.connect)
        self._config = config
        self.network = hardware.wifi
        """Has `async up()` and `is_up()`."""
        self.peer = "%s:%d" % (config.host, config.port)
        """Who answers at the other end, for messages."""

    def connection(self, topics: str, **on):
        """A connection that is not open yet.

        Args:
            topics: What the unit's topics begin with.
            on: `on_message` and `on_sent`, as in `mqtt.Connection`.
        """
        config = self._config
        return self._make(
            self._dial.open,
            client="chequer-%s-%s" % (config.site, config.unit),
            will=(topics + "state", '{"unit":"%s","online":false}' % config.unit),
            username=config.username,
            password=config.password,
            **on,
        )


class Cable:
    """Frames over a serial line to a gateway; there is no network to join."""

    def __init__(self, config, hardware) -> None:
        from . import link_serial

        self._make = link_serial.Connection
        self._open = hardware.open_serial
        self._hello = '{"site":"%s","unit":"%s"}' % (config.site, config.unit)
        self.network = self
        self.peer = "the gateway on the serial line"

    async def up(self) -> None:
        """A cable needs no joining."""

    def is_up(self) -> bool:
        """Whether it is plugged in shows by somebody answering."""
        return True

    def connection(self, topics: str, **on):
        """As `Broker.connection`."""
        return self._make(self._open, topics=topics, hello=self._hello.encode(), **on)
