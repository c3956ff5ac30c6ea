"""The sample: our own short documents, questions about them and two pipelines."""
