"""Cascades: several ways to answer, of which the first whose answer is good enough is given."""
