"""The page Guardrails: policies with their versions and rules, and what they found."""
