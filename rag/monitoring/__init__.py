"""Watches what people ask: measures, drift, answers that disagree, regression questions and alerts."""
