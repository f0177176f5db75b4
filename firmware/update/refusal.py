"""Why an update does not take place."""


class Refused(Exception):
    """The update was refused or given up; the version that runs was not touched.

    Args:
        reason: One word for programs, of the table in docs/update.md.
        message: A sentence for people.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
