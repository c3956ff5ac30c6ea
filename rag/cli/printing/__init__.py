"""How the command line prints: on any console, whole in a pipe, as CSV, and changes without colour."""
