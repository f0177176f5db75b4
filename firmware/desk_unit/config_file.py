"""The configuration on the unit's file system, and the last one that was good.

`config.json` is what was provisioned. Whenever it can be used, a copy is kept; when it can't, the
copy is used. LittleFS takes over what was written to the copy when it is closed, not before, so
that a power cut at any moment leaves the old copy or the new one.
"""

from .config import Config, ConfigError

NAME = "config.json"
GOOD = "config.good.json"


def load(folder: str = ""):
    """Read the configuration.

    Args:
        folder: Where the files are, with a slash at its end; the current folder if empty.

    Returns:
        The `Config`; its `fault` names file, line and field if something is wrong all the same.

    Raises:
        ConfigError: Neither file can be used; the message is about `config.json`.
    """
    config, text, fault = _read(folder, NAME)
    if config:
        config.fault = _keep(folder, text)
        return config
    config, _, _ = _read(folder, GOOD)
    if not config:
        raise ConfigError(fault)
    config.fault = fault + " The last good one is used."
    return config


def _read(folder: str, name: str):
    """(Config or None, the file's bytes, what is wrong)."""
    try:
        with open(folder + name, "rb") as file:
            text = file.read()
        return Config(text, name), text, ""
    except OSError as error:
        return None, b"", "%s can't be read: %s. Provision the unit again." % (name, error)
    except ConfigError as error:
        return None, b"", str(error)


def _keep(folder: str, text: bytes) -> str:
    """Make `text` the last good one, unless it is; what went wrong."""
    try:
        with open(folder + GOOD, "rb") as file:
            if file.read() == text:
                return ""
    except OSError:
        pass  # there is none yet
    try:
        with open(folder + GOOD, "wb") as file:
            file.write(text)
    except OSError as error:
        return "%s can't be kept as the last good one: %s" % (NAME, error)
    return ""
