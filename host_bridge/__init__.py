"""Chequer's host: relays facts, decides what they mean, shows it."""
