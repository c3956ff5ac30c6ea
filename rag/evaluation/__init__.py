"""Evaluation: cases and drafts of them, sets, pipelines, runs, metrics, statistics, comparisons and gates."""
