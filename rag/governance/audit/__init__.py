"""Reads the audit log: lists and explains its rows, finds the first that was changed, exports it."""
