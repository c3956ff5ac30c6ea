"""Widgets that know nothing of Ragdeck's data: looks, labels, tables, charts, views."""
