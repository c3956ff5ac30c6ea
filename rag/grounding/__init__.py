"""Checks each sentence of an answer against the passages it had, without asking a model.

sentences: what the sentences are and which can be checked. numbers: figures and dates by value. features: how a
sentence relates to the passages. detector: a logistic regression over them, a rule for contradictions, and the
verdicts. train: the script that makes the detector's file.

    detector = Detector.load(path)
    claims = detector.check(question, answer, passages, encode)  # one ClaimResult a sentence
"""

from rag.grounding.detector import Detector, Encode, VerdictLimits
from rag.grounding.second_detector import SecondDetector
from rag.grounding.sentences import Sentence, is_checkable, is_refusal, split_sentences

__all__ = [
    "Detector",
    "Encode",
    "SecondDetector",
    "Sentence",
    "VerdictLimits",
    "is_checkable",
    "is_refusal",
    "split_sentences",
]
