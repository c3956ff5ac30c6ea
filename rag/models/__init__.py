"""Embedders and language models in local files, and the catalogue of models on this computer."""
