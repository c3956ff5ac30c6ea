"""What answers cost, what the cache saved, and budgets."""
