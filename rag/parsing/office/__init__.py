"""Reads Office files in the Open XML format: Word documents and presentations, and what both share."""
