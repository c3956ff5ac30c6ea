"""Cascades as pipelines: how they are resolved, asked, and compared by cost and quality."""
