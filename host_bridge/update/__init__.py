"""Firmware updates on the host: building bundles, signing them, handing them out in pieces."""
