"""Offline evaluation: cases and their sets, metrics, paired statistics, formats of others, and the gate.

cases: what a case is. metrics: one case, one value. statistics: two runs, paired by case. formats: files of other
tools. sets: numbered, immutable versions of a set of cases. pipelines: named configurations. gate: pass or fail.
"""
