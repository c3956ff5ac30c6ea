"""Personal data and prompt injection, found by pure functions on texts."""
