"""Random stories with random faults, and the shortest form of those that go wrong."""
