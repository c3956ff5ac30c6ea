"""Runs the starter model once in a process of its own, to learn whether llama.cpp runs on this processor.

A llama.cpp that was compiled here uses the instructions that the processor announces. Some virtual machines
announce AMX and trap on it: then the process is killed by SIGILL at the first prompt of more than a few
tokens, and nothing in Python can catch that. `python -m rag.models.trial_run` ends with 0 when the prompt was
read.

Nothing but the standard library is imported here, because main.py asks before anything is installed.
"""

from __future__ import annotations

import signal
import sys

COMMAND = ("-m", "rag.models.trial_run")
"""What a Python of the environment is given, in the folder that contains rag, to run the model."""

_PROMPT = "A bicycle is a machine with two wheels that a person moves by turning its pedals. " * 8
_BY_SHELL = 128  # a shell adds it to the number of the signal that ended a command
_WINDOWS_ILLEGAL_INSTRUCTION = 0xC000001D


def killed_by(code: int) -> str:
    """Return the name of the signal that ended a process; "" when it ended by itself.

    Args:
        code: The exit code as subprocess or a shell returns it.
    """
    if code == _WINDOWS_ILLEGAL_INSTRUCTION:
        return "an illegal instruction"
    number = -code if code < 0 else code - _BY_SHELL
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""


def main() -> int:
    """Read a prompt of about 150 tokens with the starter model. Return 0 when the process is still alive."""
    from rag.errors import RagError
    from rag.models.language_model import LanguageModel, starter_model_path
    from rag.settings import GenerationSettings

    settings = GenerationSettings(context=512, max_answer_tokens=16)
    try:
        model = LanguageModel(starter_model_path(), settings)
    except RagError as error:
        print(error, file=sys.stderr)
        return 1
    for _ in model.generate(model.tokenize_prompt(_PROMPT), settings):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
