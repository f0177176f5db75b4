"""What can go wrong when an update is built or read on the host."""


class UpdateError(Exception):
    """An update can't be built or used. The message says what is wrong and what to do."""


class SigningKeyError(UpdateError):
    """A key can't be used. The message names the file and says why, never what is in it."""
