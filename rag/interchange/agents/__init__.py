"""Steps of agents in received traces: trees, calls of agents and tools, loops, errors and evidence."""
