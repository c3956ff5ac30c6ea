"""Files become text with places, and text becomes chunks: one module per family of formats, and chunking."""
