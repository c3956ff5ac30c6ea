"""Collections and their dataset versions: ingest, edits, trials, verification and what compares them."""
