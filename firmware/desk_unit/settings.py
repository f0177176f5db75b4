"""What a configuration says, without the code that read it: that code may leave the memory."""

_NAMES = (
    "site unit site_key boot_base link sntp host port username password ca server_name psk "
    "ssid wifi_password quiet break_minutes reader presence fault"
)


class Settings:
    """The values of a `config.Config`, under the same names.

    Args:
        config: Where they are taken from.
    """

    def __init__(self, config) -> None:
        for name in _NAMES.split(" "):
            setattr(self, name, getattr(config, name))
