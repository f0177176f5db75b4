"""Looking at processes that may end at any moment."""

import psutil


def works(process: psutil.Process) -> bool:
    """Neither gone nor a zombie: in a container nobody may collect those."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def words(process: psutil.Process) -> list[str]:
    """The words of its command; none once it has ended."""
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie's too
        return []
