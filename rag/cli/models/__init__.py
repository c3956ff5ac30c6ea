"""Commands on models that need a file of their own."""
