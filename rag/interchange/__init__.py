"""Traces exchanged with other tools: OTLP, OpenInference and the GenAI conventions."""
