"""Governs the data: documents erased for good, and what no version needs removed."""
