"""Models as files: GGUF headers, embedders, language models, and the catalogue of those on this computer."""
