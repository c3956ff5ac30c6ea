"""Who calls whom in a trace, what each costs, and calls that are made again and again."""
