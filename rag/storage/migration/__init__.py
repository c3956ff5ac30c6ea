"""The steps that bring an older data folder to this program's schema, and what runs them."""
