"""An API like OpenAI's: chat completions, responses, embeddings and models, all answered by collections."""
