"""The cards of questions and their answers."""
