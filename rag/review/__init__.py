"""What people say about answers: feedback, review queues and roll-outs."""
