"""What generate.py writes: who sends (senders), what arrives (the *_cases modules), how it is printed (document)."""
