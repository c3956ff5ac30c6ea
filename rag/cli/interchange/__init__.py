"""Commands that exchange traces with other tools."""
