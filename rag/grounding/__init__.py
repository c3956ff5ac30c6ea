"""Checks each sentence of an answer against the passages it was given, without asking a model.

sentences: what the sentences are and which can be checked. numbers: figures and dates by value. features: how
a sentence relates to the passages. detector: a logistic regression over them, a rule for contradictions, and
the verdicts. second_detector: an encoder of the user's own as a second opinion. silent_failures: answers that
came without an error and are of no use. train: the script that makes the detector's file.

    detector = Detector.load(path)
    claims = detector.check(question, answer, passages, encode)  # one ClaimResult a sentence
"""
