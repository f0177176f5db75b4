"""The relay against real brokers."""
