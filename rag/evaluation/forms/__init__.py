"""Checks and gates between a form of the window and YAML: both are read and written by the same code."""
