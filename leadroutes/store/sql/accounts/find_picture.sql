-- Returns the picture with this digest; several users may have the same one.
SELECT content FROM pictures WHERE digest = :digest LIMIT 1
