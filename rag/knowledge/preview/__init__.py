"""What files would become in a new collection, shown before it is made."""
