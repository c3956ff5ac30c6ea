"""Gives our traces to other tools: as spans, in files, to an endpoint, through a queue."""
