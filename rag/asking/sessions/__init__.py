"""Sessions: questions that follow each other, as a tree, with what answers them."""
