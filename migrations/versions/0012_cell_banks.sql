-- Cell banks: their policy, tests, vials and storage.
SELECT 1;
