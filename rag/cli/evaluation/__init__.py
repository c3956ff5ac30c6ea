"""Commands of evaluation: sets of cases, pipelines, runs, comparisons and gates."""
