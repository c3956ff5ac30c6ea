"""The tab "Replay" of a trace: the same question answered again with something changed."""
