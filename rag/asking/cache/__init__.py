"""The answer cache: an answer that was given before is given again when nothing that it rests on changed."""
