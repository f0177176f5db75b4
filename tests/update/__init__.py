"""Firmware updates, from the sources to a slot, with power cuts and hostile bytes."""
