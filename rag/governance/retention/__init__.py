"""Deletes what was kept as long as the settings say, by kind, with a preview of what would go."""
