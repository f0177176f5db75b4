"""Chequer's simulator: the unchanged firmware on a simulated board."""
