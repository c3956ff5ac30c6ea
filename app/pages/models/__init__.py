"""Models: the files and endpoints that answer, what they need, and trying them."""
