"""Steps of a received trace: tree and timeline, calls of agents, its session, and the search over steps."""
