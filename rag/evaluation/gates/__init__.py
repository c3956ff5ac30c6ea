"""Gates: rules that a run must pass, decisions on runs, and the reports that CI systems read."""
