"""Parts of the comparison of runs: figures as people read them, bars, and the matrix of questions."""
