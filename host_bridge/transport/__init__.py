"""How bytes get from desk units to the host and back."""
