-- Papers from before the guideline, and for which rules they are accepted.
SELECT 1;
