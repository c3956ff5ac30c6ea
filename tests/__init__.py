"""The tests. This file makes `python -m tests.structure` independent of what else is called `tests`."""
