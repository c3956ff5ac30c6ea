"""Answers questions: what is searched for, retrieval, packing, the model's answer, its check and its trace."""
