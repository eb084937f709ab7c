"""Words with which authors ask for what is never given: approval by silence. Pure data for the checks."""

WORDS = """accept accepted agree allow allowed approve approved auto_approve auto_proceed consent continue go go_ahead
    grant ok pass permit proceed skip yes"""
APPROVING_WORDS = frozenset(WORDS.split())
