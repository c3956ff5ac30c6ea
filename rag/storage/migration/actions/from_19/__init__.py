"""What the steps from 19 on do to the SQLite file."""
