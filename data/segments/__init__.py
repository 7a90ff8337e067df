"""Arrays kept in files that never change, and which of the files count.

A *segment* is one file of named arrays, opened by mapping it into memory. A *manifest* names the segments that count.
What is added goes to a new segment; then a new manifest takes the place of the old one in one step. So a process that
ends anywhere leaves either what was before or what was to be, and readers never wait: whatever they have mapped stays
theirs, also after its file is gone.
"""
