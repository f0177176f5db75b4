"""Deletion: what is over its time goes, and what follows from it stays right."""

from host_bridge.forget.errors import ClockError
from host_bridge.forget.run import Progress, amounts, forget

__all__ = ["ClockError", "Progress", "amounts", "forget"]
