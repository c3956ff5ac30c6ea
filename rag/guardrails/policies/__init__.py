"""Guardrail policies: their rules, what they do to a text, and which of them apply to a collection."""
