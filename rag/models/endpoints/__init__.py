"""Models behind an OpenAI-compatible endpoint: what a server can do, and what may be sent to it."""
