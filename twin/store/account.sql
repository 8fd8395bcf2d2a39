-- The customer's account: what the cloud knows beside events. Times since 1970 [ms].

CREATE TABLE user (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    first_name TEXT NOT NULL, last_name TEXT NOT NULL, role TEXT NOT NULL, language TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, salt BLOB NOT NULL, password BLOB
);
CREATE TABLE gateway (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, model TEXT NOT NULL,
    manufacturer TEXT NOT NULL, firmware TEXT NOT NULL, usecase TEXT NOT NULL, station TEXT NOT NULL,
    thing_name TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    version INTEGER NOT NULL, place INTEGER
);
CREATE TABLE job_config (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, start_barcode TEXT NOT NULL,
    end_barcode TEXT NOT NULL, gateway_ids TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, version INTEGER NOT NULL
);
CREATE TABLE device_config (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL
);
-- A gateway's way to its certificate: prepared once, used once.
CREATE TABLE provisioning (
    gateway TEXT PRIMARY KEY REFERENCES gateway (id), token TEXT NOT NULL UNIQUE,
    expires_ms INTEGER NOT NULL, used_ms INTEGER
);
-- What cannot be made again from the seed: keys and certificates.
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE journal (
    id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, action TEXT NOT NULL, facts TEXT NOT NULL
);
-- How many of each were ever made, so that no id comes twice.
CREATE TABLE made (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO made VALUES ('user', 0), ('gateway', 0), ('job_config', 0);
