"""The engine process and the window's side of it."""
