"""What answers cost: price tables, costs of every layer, and what they would have cost elsewhere."""
