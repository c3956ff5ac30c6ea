"""Finds everything that mentions a person or an identifier, in all tables, and exports it."""
