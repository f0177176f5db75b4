"""Hundreds of desk units at once: the real firmware in each, one real broker and host for all."""
