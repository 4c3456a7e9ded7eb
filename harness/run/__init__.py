"""One run over one submission: its options, what its checks share, and the results they leave."""
