"""What the steps do to the SQLite file: frozen copies, one module for each step that needs more than SQL."""
