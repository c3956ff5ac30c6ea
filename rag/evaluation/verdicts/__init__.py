"""What a comparison of runs says in one sentence, and why single cases scored differently."""
