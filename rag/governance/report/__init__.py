"""Evidence reports: what was in use, how it was measured and who looked at it, each sentence with its source."""
