"""What the program reads beside its code: icons, themes, prompts, samples and the grounding detector."""
