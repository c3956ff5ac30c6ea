"""Widgets that several pages share and that know Ragdeck's data."""
