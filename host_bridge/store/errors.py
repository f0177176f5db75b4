"""What can go wrong with the store. Each error carries its data as attributes."""


class StoreError(Exception):
    """The base of all errors of the store."""


class StoreUnavailableError(StoreError):
    """The database can't be reached or can't be written now; trying again may help.

    Attributes:
        url: the database, without its password.
        reason: what the database said.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"The database {url} can't be used now: {reason}. Nothing is half done; "
            "free the database (disk space, locks, permissions, its server) and try again."
        )
        self.url = url
        self.reason = reason


class BatchRefusedError(StoreError):
    """The database will never take this batch as it is. Nothing of it was taken.

    Attributes:
        url: the database, without its password.
        reason: what the database said.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"The database {url} refuses something in this batch: {reason}. Nothing of it was "
            "taken, and trying again does not help; commit it in smaller portions."
        )
        self.url = url
        self.reason = reason


class SchemaError(StoreError):
    """The database was made by another version of Chequer, or the URL is none of ours.

    Attributes:
        url: the database, without its password.
        reason: what does not fit.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"The database {url} can't be opened: {reason}. It was left as it is.")
        self.url = url
        self.reason = reason


class TransferError(StoreError):
    """Moving, backing up or restoring did not succeed; neither database was changed.

    Attributes:
        reason: why not.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing was copied: {reason}.")
        self.reason = reason


class RegistryError(StoreError):
    """An entry for the register of tags can't be taken. Nothing of the file was taken.

    Attributes:
        line: the line of the file, None for a single entry.
        reason: what is wrong with it.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        where = f"line {line}: " if line is not None else ""
        super().__init__(f"{where}{reason}")
        self.line = line
        self.reason = reason
