"""The HTTP server: on this computer alone, and off until somebody starts it."""
