"""Budgets: what answers may cost in a day or month, and what happens when they cost more."""
