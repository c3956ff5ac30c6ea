"""Guardrail policies as they are kept: versions, labels, files, measuring and reviewing."""
