"""Replays of any trace: one's own, or one that another application sent with its messages."""
