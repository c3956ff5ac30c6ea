"""The data folder: the SQLite file and everything that copies, moves or measures it."""
