"""Everything that can go wrong in a simulated site, by name."""
