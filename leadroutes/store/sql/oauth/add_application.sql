-- Registers an OAuth application.
INSERT INTO applications (user_id, name, client_id, secret_hash, redirect_uris)
VALUES (:user_id, :name, :client_id, :secret_hash, :redirect_uris)
