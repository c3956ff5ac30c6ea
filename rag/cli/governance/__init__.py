"""Commands on governance: what may be done, what was done, and evidence of both."""
