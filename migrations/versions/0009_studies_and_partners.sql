-- Studies, the partners that take part, and the laboratories that test again.
SELECT 1;
