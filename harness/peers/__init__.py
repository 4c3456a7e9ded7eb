"""Our side of the conversation: peers that move bytes and datagrams and say what they saw."""
