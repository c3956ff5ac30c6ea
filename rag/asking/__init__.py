"""Answers questions: search, packing, the model's answer, its check and its trace."""
