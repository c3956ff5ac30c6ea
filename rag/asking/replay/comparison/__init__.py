"""What differs between two traces, found without any model."""
