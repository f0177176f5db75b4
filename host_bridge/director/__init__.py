"""The director: follows the store, keeps the floor, and tells desks what they need to know."""

from host_bridge.director.director import Director, Figures

__all__ = ["Director", "Figures"]
