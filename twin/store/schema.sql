-- One twin: how it was made, who is on the site, the rows of its events, and the account.
-- Times are simulated microseconds since the start; meta.origin_us is the start since 1970.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE worker (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, shift TEXT NOT NULL, zone TEXT NOT NULL,
    x_m REAL NOT NULL, y_m REAL NOT NULL
);
CREATE TABLE scanner (
    id INTEGER PRIMARY KEY, serial TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    model TEXT NOT NULL, manufacturer TEXT NOT NULL, firmware TEXT NOT NULL
);
CREATE TABLE gateway (
    id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL,
    model TEXT NOT NULL, manufacturer TEXT NOT NULL, firmware TEXT NOT NULL,
    usecase TEXT NOT NULL, station TEXT NOT NULL, zone TEXT, x_m REAL, y_m REAL,
    scanner_limit INTEGER NOT NULL
);
CREATE TABLE kpi (
    name TEXT PRIMARY KEY, value REAL, unit TEXT NOT NULL, definition TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE kind (id INTEGER PRIMARY KEY, name TEXT NOT NULL, meaning TEXT NOT NULL);
CREATE TABLE outcome (id INTEGER PRIMARY KEY, name TEXT NOT NULL, meaning TEXT NOT NULL);
CREATE TABLE column_meaning (
    name TEXT PRIMARY KEY, unit TEXT NOT NULL, meaning TEXT NOT NULL
) WITHOUT ROWID;

-- The flat row; columns that a kind does not fill are NULL.
CREATE TABLE event (
    id INTEGER PRIMARY KEY, time_us INTEGER NOT NULL, beep_us INTEGER, visible_us INTEGER,
    wait_us INTEGER, link_us INTEGER, worker INTEGER, scanner INTEGER,
    number INTEGER, job INTEGER, gateway INTEGER, line INTEGER, battery REAL, kind INTEGER NOT NULL,
    outcome INTEGER NOT NULL, attempts INTEGER, role INTEGER, copies INTEGER, slip INTEGER,
    scan_code TEXT
);

CREATE VIEW scan AS
SELECT event.id, event.time_us, event.time_us - event.link_us AS scan_us, event.beep_us, event.visible_us, event.wait_us,
       (event.time_us - event.link_us + (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'origin_us')) / 1000 AS created_ms,
       worker.name AS worker, scanner.serial AS device, gateway.name AS gateway,
       gateway.station, gateway.usecase, event.job, event.line, event.scan_code,
       event.battery AS battery_percent, event.attempts, outcome.name AS outcome
FROM event
JOIN worker ON worker.id = event.worker
JOIN scanner ON scanner.id = event.scanner
JOIN gateway ON gateway.id = event.gateway
JOIN outcome ON outcome.id = event.outcome
WHERE event.kind = 1;

-- The customer's account: what the cloud knows beside events. Times since 1970 [ms].

-- Numbers say which came first, and are never given twice.
CREATE TABLE account_user (
    id TEXT NOT NULL UNIQUE, email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    first_name TEXT NOT NULL, last_name TEXT NOT NULL, role TEXT NOT NULL, language TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, salt BLOB NOT NULL, password BLOB,
    number INTEGER PRIMARY KEY AUTOINCREMENT
);
CREATE TABLE account_gateway (
    id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, model TEXT NOT NULL,
    manufacturer TEXT NOT NULL, firmware TEXT NOT NULL, usecase TEXT NOT NULL, station TEXT NOT NULL,
    thing_name TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    version INTEGER NOT NULL, number INTEGER PRIMARY KEY AUTOINCREMENT
);
CREATE TABLE account_job_config (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, start_barcode TEXT NOT NULL,
    end_barcode TEXT NOT NULL, gateway_ids TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, version INTEGER NOT NULL
);
CREATE TABLE account_device_config (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL
);
-- A gateway's way to its certificate: prepared once, used once.
CREATE TABLE account_provisioning (
    gateway TEXT PRIMARY KEY REFERENCES account_gateway (id), token TEXT NOT NULL UNIQUE,
    expires_ms INTEGER NOT NULL, used_ms INTEGER
);
-- The service on the gateway (SNAP Thing Services): what it knows beside the mesh itself.
CREATE TABLE snap_user (
    name TEXT PRIMARY KEY, salt BLOB NOT NULL, password BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE snap_device_type (
    id INTEGER PRIMARY KEY AUTOINCREMENT, description TEXT NOT NULL UNIQUE
);
-- A device keeps the name of its type when that is deleted.
CREATE TABLE snap_device (
    id INTEGER PRIMARY KEY AUTOINCREMENT, addr TEXT NOT NULL UNIQUE, description TEXT NOT NULL,
    platform TEXT NOT NULL, device_type TEXT NOT NULL
);
CREATE TABLE snap_batch (id TEXT PRIMARY KEY, device_ids TEXT NOT NULL);
CREATE TABLE snap_image (
    id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, crc INTEGER NOT NULL, content BLOB NOT NULL,
    size_bytes INTEGER NOT NULL, number INTEGER PRIMARY KEY AUTOINCREMENT
);
CREATE TABLE snap_collector (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, device_types TEXT NOT NULL,
    query_function TEXT NOT NULL, poll_interval_s INTEGER NOT NULL
);
CREATE TABLE snap_configuration (
    id TEXT NOT NULL UNIQUE, groups TEXT NOT NULL, number INTEGER PRIMARY KEY AUTOINCREMENT
);
-- What runs for long: which upgrades of the site, or which survey, belong to it.
CREATE TABLE snap_update (
    id TEXT NOT NULL UNIQUE, task_id TEXT NOT NULL UNIQUE, groups TEXT NOT NULL,
    number INTEGER PRIMARY KEY AUTOINCREMENT
);
CREATE TABLE snap_topology (
    id TEXT NOT NULL UNIQUE, task_id TEXT NOT NULL UNIQUE, survey INTEGER NOT NULL,
    is_deleted INTEGER NOT NULL, number INTEGER PRIMARY KEY AUTOINCREMENT
);
-- The licence and the configured network.
CREATE TABLE snap_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- What cannot be made again from the seed: keys and certificates.
CREATE TABLE account_secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
-- What was changed, in order: in the account, and on the site (the actions of twin/commands.py).
CREATE TABLE journal (
    id INTEGER PRIMARY KEY, now_us INTEGER NOT NULL, action TEXT NOT NULL, facts TEXT NOT NULL
);
-- How many of each were ever made, so that no id comes twice.
CREATE TABLE account_made (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO account_made VALUES
    ('account', 0), ('user', 0), ('gateway', 0), ('job_config', 0),
    ('things', 0), ('batch', 0), ('image', 0), ('configuration', 0), ('update', 0), ('topology', 0);
-- The last snapshot: the state of the site, and all rows up to it in pieces, each with a digest.
-- Only what made_by names can read it; everybody else goes the same way from the journal.
CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY CHECK (id = 1), now_us INTEGER NOT NULL, entry INTEGER NOT NULL,
    made_by TEXT NOT NULL, floor_rows INTEGER NOT NULL, mesh_rows INTEGER NOT NULL,
    digest BLOB NOT NULL, state BLOB NOT NULL
);
CREATE TABLE snapshot_rows (
    of TEXT NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL,
    digest BLOB NOT NULL, rows BLOB NOT NULL, PRIMARY KEY (of, first)
);
