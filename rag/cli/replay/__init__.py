"""Commands that answer a trace again, and compare traces."""
