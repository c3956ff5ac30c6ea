"""Statistics of evaluations and roll-outs: pairs, two samples, intervals, raters, and power."""
