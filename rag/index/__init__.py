"""The vector index: Chroma collections that can be rebuilt from the SQLite file. Only this package imports chromadb."""
