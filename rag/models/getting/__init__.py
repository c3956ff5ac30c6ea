"""Getting models: a catalogue, and downloads in a process of their own that may use the network."""
