-- Vectors, their genealogy, and the tests of gene-modified cells.
SELECT 1;
