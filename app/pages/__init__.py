"""The pages of the window. They never import each other: they emit signals, the main window connects them."""
