"""Answering a stored trace again with something changed, and comparing any two traces."""
