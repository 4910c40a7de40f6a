"""Following calls, for all who wait on a line: what wakes them, what is known of each call, whose turn it is
to look."""
