"""Finding anything by a few words: every object that has a page of its own."""
