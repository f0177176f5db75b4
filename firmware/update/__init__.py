"""Firmware updates on the unit: the loader, and what fetches, checks and tries a new version."""
