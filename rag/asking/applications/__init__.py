"""Applications whose traces were received, as sources of questions beside collections."""
