"""What every table offers for its rows: a menu, copying, and export."""
