"""The page Monitors."""
