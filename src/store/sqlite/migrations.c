#include "store/sqlite/migrations.h"

#include "base/attr.h"

/* To add one: append a row. Never change one that was released: its checksum
 * is in every ledger. */
const struct migration migrations[] = {
	{"first", "\
CREATE TABLE meta(k TEXT PRIMARY KEY, v INTEGER NOT NULL) WITHOUT ROWID;\
CREATE TABLE monitor(id INTEGER PRIMARY KEY, name TEXT NOT NULL,\
 grp INTEGER NOT NULL, text TEXT NOT NULL, version INTEGER NOT NULL,\
 origin INTEGER NOT NULL, archived INTEGER NOT NULL,\
 paused INTEGER NOT NULL, created_us INTEGER NOT NULL);\
CREATE TABLE channel(name TEXT PRIMARY KEY, type TEXT NOT NULL,\
 text TEXT NOT NULL) WITHOUT ROWID;\
CREATE TABLE token(name TEXT PRIMARY KEY, hash BLOB NOT NULL,\
 scope INTEGER NOT NULL, created_us INTEGER NOT NULL,\
 expires_us INTEGER NOT NULL, revoked_us INTEGER NOT NULL) WITHOUT ROWID;\
CREATE TABLE state(monitor INTEGER PRIMARY KEY, b BLOB NOT NULL);\
CREATE TABLE tail(id INTEGER PRIMARY KEY, n INTEGER NOT NULL,\
 b BLOB NOT NULL);\
CREATE TABLE chunk(id INTEGER PRIMARY KEY, monitor INTEGER NOT NULL,\
 first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,\
 from_us INTEGER NOT NULL, to_us INTEGER NOT NULL, n INTEGER NOT NULL,\
 b BLOB NOT NULL);\
CREATE INDEX chunk_of ON chunk(monitor, last_seq, from_us, to_us);\
CREATE TABLE transition(id INTEGER PRIMARY KEY, monitor INTEGER NOT NULL,\
 seq INTEGER NOT NULL, at_us INTEGER NOT NULL, was INTEGER NOT NULL,\
 became INTEGER NOT NULL, why INTEGER NOT NULL, reason TEXT NOT NULL,\
 explain TEXT NOT NULL, evidence TEXT);\
CREATE UNIQUE INDEX transition_key\
 ON transition(monitor, at_us, became, seq);\
CREATE INDEX transition_of ON transition(monitor);\
CREATE TABLE evidence(monitor INTEGER PRIMARY KEY, text TEXT NOT NULL);\
CREATE TABLE event(id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL,\
 kind INTEGER NOT NULL, was INTEGER NOT NULL, became INTEGER NOT NULL,\
 why INTEGER NOT NULL, monitor INTEGER NOT NULL, actor TEXT NOT NULL,\
 subject TEXT NOT NULL, text TEXT NOT NULL);\
CREATE TABLE gap(from_us INTEGER PRIMARY KEY, to_us INTEGER NOT NULL);\
CREATE TABLE doomed(monitor INTEGER PRIMARY KEY);"},
	{"outbox", "\
CREATE TABLE outbox(id INTEGER PRIMARY KEY, k TEXT NOT NULL UNIQUE,\
 channel TEXT NOT NULL, state INTEGER NOT NULL, step INTEGER NOT NULL,\
 attempts INTEGER NOT NULL, next_us INTEGER NOT NULL,\
 expires_us INTEGER NOT NULL, remind_us INTEGER NOT NULL,\
 kept INTEGER NOT NULL, monitor INTEGER NOT NULL,\
 incident_us INTEGER NOT NULL, at_us INTEGER NOT NULL, note TEXT NOT NULL,\
 event TEXT NOT NULL);\
CREATE INDEX outbox_kept ON outbox(kept) WHERE kept = 1;\
CREATE INDEX outbox_of ON outbox(monitor, incident_us);\
CREATE TABLE delivery(id INTEGER PRIMARY KEY, k TEXT NOT NULL,\
 channel TEXT NOT NULL, members INTEGER NOT NULL, attempt INTEGER NOT NULL,\
 code INTEGER NOT NULL, result INTEGER NOT NULL, at_us INTEGER NOT NULL,\
 took_us INTEGER NOT NULL, text TEXT NOT NULL);\
CREATE INDEX delivery_of ON delivery(channel);\
CREATE TABLE channel_health(channel TEXT PRIMARY KEY,\
 failures INTEGER NOT NULL, told INTEGER NOT NULL,\
 since_us INTEGER NOT NULL, ok_us INTEGER NOT NULL,\
 failed_us INTEGER NOT NULL, error TEXT NOT NULL) WITHOUT ROWID;\
CREATE TABLE hold(monitor INTEGER NOT NULL, incident_us INTEGER NOT NULL,\
 acked_us INTEGER NOT NULL, snoozed_us INTEGER NOT NULL, at_us INTEGER NOT NULL,\
 by TEXT NOT NULL, note TEXT NOT NULL,\
 PRIMARY KEY(monitor, incident_us)) WITHOUT ROWID;"},
	/* Sorted by time first: what one cycle of compaction adds to, and what
	 * ages together, lies together. transition_turn has all that uptime
	 * asks, so that it never reads the rows, which are long. */
	{"rollups", "\
CREATE TABLE rollup(level INTEGER NOT NULL, hour INTEGER NOT NULL,\
 monitor INTEGER NOT NULL, b BLOB NOT NULL,\
 PRIMARY KEY(level, hour, monitor)) WITHOUT ROWID;\
INSERT INTO meta SELECT 'rolled_since', coalesce(max(to_us) + 1, 0)\
 FROM chunk;\
CREATE INDEX transition_turn ON transition(monitor, at_us, was, became);"},
	/* The oldest chunk of all is found by an index; how many bytes they
	 * take is known without reading them, whoever adds or deletes one. */
	{"retention", "\
CREATE INDEX chunk_age ON chunk(to_us);\
CREATE INDEX outbox_over ON outbox(at_us) WHERE kept = 0;\
CREATE INDEX hold_at ON hold(at_us);\
INSERT INTO meta SELECT 'chunk_bytes', coalesce(sum(length(b)), 0) FROM chunk;\
CREATE TRIGGER chunk_added AFTER INSERT ON chunk BEGIN\
 UPDATE meta SET v = v + length(NEW.b) WHERE k = 'chunk_bytes'; END;\
CREATE TRIGGER chunk_gone AFTER DELETE ON chunk BEGIN\
 UPDATE meta SET v = v - length(OLD.b) WHERE k = 'chunk_bytes'; END;"},
	{"outbox_maybe", "\
ALTER TABLE outbox ADD COLUMN maybe INTEGER NOT NULL DEFAULT 0;"},
	/* A number is never given again; a record of the journal is here once,
	 * however often it is read back. */
	{"quarantine", "\
CREATE TABLE quarantine(id INTEGER PRIMARY KEY AUTOINCREMENT,\
 at_us INTEGER NOT NULL, kind INTEGER NOT NULL, monitor INTEGER NOT NULL,\
 reason TEXT NOT NULL, attempts INTEGER NOT NULL, record INTEGER UNIQUE,\
 b BLOB NOT NULL);"},
	/* applied is what a window was in the past: of one monitor, of those
	 * in monitors, or of all (0 and NULL). */
	{"maintenance", "\
CREATE TABLE maintenance(name TEXT PRIMARY KEY, origin INTEGER NOT NULL,\
 text TEXT NOT NULL, made_us INTEGER NOT NULL, ended_us INTEGER NOT NULL,\
 over_us INTEGER NOT NULL) WITHOUT ROWID;\
CREATE TABLE applied(id INTEGER PRIMARY KEY, name TEXT NOT NULL,\
 monitor INTEGER NOT NULL, from_us INTEGER NOT NULL, to_us INTEGER NOT NULL,\
 monitors BLOB);\
CREATE INDEX applied_to ON applied(to_us);"},
	/* monitor 0: one that a person wrote. monitors: the ids it affects,
	 * between commas. A number is never given again. */
	{"incidents", "\
CREATE TABLE incident(id INTEGER PRIMARY KEY AUTOINCREMENT,\
 monitor INTEGER NOT NULL, incident_us INTEGER NOT NULL,\
 opened_us INTEGER NOT NULL, closed_us INTEGER NOT NULL,\
 changed_us INTEGER NOT NULL, severity INTEGER NOT NULL,\
 worst INTEGER NOT NULL, why INTEGER NOT NULL, state INTEGER NOT NULL,\
 version INTEGER NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL,\
 reason TEXT NOT NULL, cause TEXT NOT NULL, by TEXT NOT NULL,\
 monitors TEXT NOT NULL);\
CREATE UNIQUE INDEX incident_key ON incident(monitor, incident_us)\
 WHERE monitor <> 0;\
CREATE INDEX incident_of ON incident(monitor);\
CREATE INDEX incident_open ON incident(monitor) WHERE closed_us = 0;\
CREATE INDEX incident_closed ON incident(closed_us) WHERE closed_us <> 0;\
CREATE TABLE incident_update(id INTEGER PRIMARY KEY AUTOINCREMENT,\
 incident INTEGER NOT NULL, at_us INTEGER NOT NULL, state INTEGER NOT NULL,\
 changed INTEGER NOT NULL, by TEXT NOT NULL, text TEXT NOT NULL,\
 open INTEGER NOT NULL);\
CREATE INDEX incident_update_of ON incident_update(incident);\
CREATE TRIGGER incident_gone AFTER DELETE ON incident BEGIN\
 DELETE FROM incident_update WHERE incident = OLD.id; END;"},
};

const size_t nmigrations = COUNT(migrations);
