-- Takes away what mark_commits.sql has put in.
DROP TRIGGER bench_note ON offers;
DROP TRIGGER bench_note ON contact_communications;
DROP TABLE bench_done;
