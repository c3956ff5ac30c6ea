"""Ragdeck's engine: no Qt, synchronous, usable and testable alone."""
