"""The launcher: the icon by which the desktop opens Ragdeck, and on which files can be dropped."""
