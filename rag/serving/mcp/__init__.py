"""The data folder as tools of agents and editors (MCP): over stdin and stdout, or over HTTP."""
