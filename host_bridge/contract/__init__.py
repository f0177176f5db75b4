"""What travels between desk units and the host: facts, messages, topics."""
