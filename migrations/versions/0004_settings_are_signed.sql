-- Settings that only a signed change alters; rule packs; authorities' written replies.
SELECT 1;
