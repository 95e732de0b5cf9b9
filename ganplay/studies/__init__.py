"""Feature studies: one switch at a time against a base, with several seeds, so that differences have a spread."""
