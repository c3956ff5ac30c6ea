"""Forms for cases and gates: passages picked from search, and rules beside their YAML."""
