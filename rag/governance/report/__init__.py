"""Evidence reports: what was in use, how it was measured and who looked at it, with sources."""
