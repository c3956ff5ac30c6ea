"""Figures, run by hand. Each script prints ratios from one run, because machines differ."""
