"""Commands on endpoints: models that another program or another computer serves."""
