-- Laboratories outside and what they tested again before a study begins.
SELECT 1;
