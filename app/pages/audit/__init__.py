"""The page Audit: the audit log, how long data are kept, and searching for a person."""
