"""Help: the guide in a window of its own, the first steps, and the commands that lead to both."""
