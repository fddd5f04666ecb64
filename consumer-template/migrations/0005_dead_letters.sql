-- Dead letters: which failures are the same failure, and which version of its handler an attempt ran.

-- Of the failure of which the event died last: see src/fingerprint.rs. Written whenever an event dies; the program computes it for
-- those that are dead already. Looked for among the dead only.
ALTER TABLE events ADD COLUMN fingerprint TEXT;

CREATE INDEX events_dead_by_failure ON events (fingerprint, number) WHERE state = 'dead';

-- NULL: an attempt of before, or of a worker that does not say.
ALTER TABLE attempts ADD COLUMN handler TEXT;
