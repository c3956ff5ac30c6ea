"""Ragdeck's window: only Qt and presentation. The engine runs in a process of its own."""
