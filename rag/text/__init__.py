"""Pure functions on texts: languages, search terms, plurals and word differences."""
