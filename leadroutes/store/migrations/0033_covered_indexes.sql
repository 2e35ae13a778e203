-- contact_communications_asked begins with the same column and has the same condition: every version finds calls by it.
DROP INDEX IF EXISTS contact_communications_calls;
