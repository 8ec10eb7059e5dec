-- Donors in depth: histories, tissues, samples.
SELECT 1;
