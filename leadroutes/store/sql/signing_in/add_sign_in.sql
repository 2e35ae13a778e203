-- Adds what happened at a sign-in.
INSERT INTO sign_ins (user_id, by_user_id, kind, method, browser, network)
VALUES (:user_id, :by_user_id, :kind, :method, :browser, :network)
