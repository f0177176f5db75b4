"""The relay: receive, check, commit, acknowledge. `Relay` is its heart."""

from host_bridge.relay.relay import Relay

__all__ = ["Relay"]
