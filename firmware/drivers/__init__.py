"""Drivers: each speaks to one chip over a bus that it is handed. They know no pin numbers."""
