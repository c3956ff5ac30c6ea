"""The vector index: Chroma collections that can be rebuilt. Only this package imports chromadb."""
