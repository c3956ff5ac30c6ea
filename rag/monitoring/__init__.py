"""Watches the asks: measures against limits, drift, answers that disagree.

statistics: tests and limits that are honest with few asks. questions: drift of questions and scores, and groups of
similar questions whose answers differ. alerts: rules, their states, and the reference period.
"""
